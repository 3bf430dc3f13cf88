"""Who is here and what is allowed: sessions, channels, commands, hub. Pure: no I/O, no clock, no thread."""
