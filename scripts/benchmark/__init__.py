"""What scripts/bench does: several IRC servers under the same load, in turns, beside what TLS alone costs.

`contenders` start the servers, `driver` is the process that loads one of them, `scenarios` say what is asked and
make figures of the answers, `floor` measures the machine.
"""
