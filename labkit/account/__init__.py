"""The lab on a real AWS account: what is in its way, which permissions it needs, and the environment that it deploys.

`preflight.py` checks the account before anything is made, `policy.py` writes the smallest IAM policy, `environment.py`
deploys the environment that a lab platform would have provided. What is deployed is found and removed by
`labkit/lab/deployment.py`, since the clean-up needs it too.

>>> lab.preflight()                                         # doctest: +SKIP
"""
