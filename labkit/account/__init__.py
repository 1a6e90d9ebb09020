"""The lab on a real AWS account: what stands in its way, what it may do, and the environment that it deploys.

`preflight.py` looks before anything is made, `policy.py` writes the least IAM policy that suffices, `environment.py`
deploys the environment that a lab platform would have provided. What is deployed is found and removed by
`labkit/lab/deployment.py`, since the clean-up needs it too.

>>> lab.preflight()                                         # doctest: +SKIP
"""
