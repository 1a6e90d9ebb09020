import json
from pathlib import Path

import pytest
from moto.s3.exceptions import MissingBucket, S3ClientError

from labkit.sandbox import moto_state
from labkit.sandbox.moto_state import cloudformation, s3

BUCKET = "lab-bucket"
CASES = json.loads((Path(__file__).parent / "bucket_policies.json").read_text())["cases"]
PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}


@pytest.fixture
def backend(sandbox):
    backend = moto_state.backend("s3", sandbox.account_id, "aws")
    backend.create_bucket(BUCKET, "eu-west-1")
    return backend


def document(case):
    if "statement" in case:
        return json.dumps({"Version": "2012-10-17", "Statement": [case["statement"]]}).encode()
    return (case["policy"] if isinstance(case["policy"], str) else json.dumps(case["policy"])).encode()


@pytest.mark.parametrize("case", [each for each in CASES if each["error"]], ids=lambda case: case["name"])
def test_what_can_be_no_policy_of_the_bucket_is_refused_and_the_old_one_stays(backend, case):
    old = json.dumps({"Statement": [PUBLIC]}).encode()
    backend.put_bucket_policy(BUCKET, old)
    with pytest.raises(S3ClientError) as refusal:
        backend.put_bucket_policy(BUCKET, document(case))
    assert (refusal.value.code, refusal.value.message) == ("MalformedPolicy", case["error"])
    assert s3.bucket_policy(BUCKET) == old.decode()


@pytest.mark.parametrize("case", [each for each in CASES if not each["error"]], ids=lambda case: case["name"])
def test_what_is_a_policy_of_the_bucket_is_kept_as_it_was_written(backend, case):
    backend.put_bucket_policy(BUCKET, document(case))
    assert s3.bucket_policy(BUCKET) == document(case).decode()


def test_a_bucket_that_there_is_none_of_is_told_before_its_policy(backend):
    with pytest.raises(MissingBucket):
        backend.put_bucket_policy("nobodys-bucket", b"no policy")


def test_a_second_statement_is_looked_at_too(backend):
    statements = [PUBLIC, {**PUBLIC, "Resource": "arn:aws:s3:::other/*"}]
    with pytest.raises(S3ClientError, match="Policy has invalid resource"):
        backend.put_bucket_policy(BUCKET, json.dumps({"Statement": statements}).encode())


def test_a_template_s_policy_of_another_bucket_fails_its_stack(sandbox, backend):
    policy = {"Statement": [{**PUBLIC, "Resource": "arn:aws:s3:::other/*"}]}
    properties = {"Bucket": BUCKET, "PolicyDocument": policy}
    template = json.dumps({"Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}})
    with pytest.raises(RuntimeError, match="ROLLBACK_COMPLETE: Policy has invalid resource"):
        cloudformation.create_stack(sandbox.account_id, "eu-west-1", "logs", template)
    assert s3.bucket_policy(BUCKET) is None
