"""Pins: a name of our own for each log file, by a hard link or by a copy that is kept growing.

`roots` finds where pins can lie, `sweep` looks at a file set's folder under confinement and pins
what is new there, `watch` says early when to look, `survey` compares pins with what the collector
has read, and `keeper` is the loop's record of all of them and decides.
"""
