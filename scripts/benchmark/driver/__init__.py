"""The load: a process of its own with many real TLS clients, told what to do by lines of JSON on standard input.

Each line is a command {"do": NAME, ...}, each answered by one line of JSON on standard output. What fails ends the
process with one sentence on standard error. Nothing here knows which server it talks to.
"""
