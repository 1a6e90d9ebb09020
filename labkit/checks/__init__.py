"""What a check found in the cloud for a phase, item by item, with hints for what isn't right yet.

`check.py` has the result (`Check`, its `Item`s, their `Verdict`s) and `check("alarm")`, which asks the phase's module;
`hints.py` has the hints of exercises and of items; `phase_table.py` is all phases in one table. Phases make
the items: they import this room, and this room imports no phase.

>>> from labkit import check                                # doctest: +SKIP
>>> check("flow log to S3")                                 # doctest: +SKIP
"""
