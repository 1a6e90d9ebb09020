"""The phases of the lab, one module each, with the same four verbs.

`set_up(lab)` rebuilds the known start, `check(lab)` reads the cloud and changes nothing, `solve(lab)` does the phase as
its notebook does, `clean_up(lab)` removes what the phase made. Their order, titles and costs are in
`labkit/lab/syllabus.toml`; `course.py` goes through them one after the other; `inventory.py` lists what of the lab is
in the cloud, which `clean_up.py` proves the end with.

>>> from labkit.phases import flow_logs                     # doctest: +SKIP
>>> flow_logs.publish_to_s3(lab, bucket=lab.bucket)         # doctest: +SKIP
"""
