"""One module a step, `vNNNN_what.py`. A step adds; what it made useless is removed by a later release's step.

A step is a record: it names types and tables itself, so that later changes of the program do not change it.
"""
