"""Links into the AWS console: each leads to the thing itself, in the lab's region."""

import pytest

from labkit.show import console

LINKS = {
    "vpc": (console.vpc, "vpc-0a1", "vpcconsole/home?region=eu-west-1#VpcDetails:VpcId=vpc-0a1"),
    "instance": (console.instance, "i-0a1", "ec2/home?region=eu-west-1#InstanceDetails:instanceId=i-0a1"),
    "topic": (console.topic, "arn:aws:sns:x:1:t", "sns/v3/home?region=eu-west-1#/topic/arn:aws:sns:x:1:t"),
    "alarm": (console.alarm, "SSH Rejects", "cloudwatch/home?region=eu-west-1#alarmsV2:alarm/SSH+Rejects"),
    "alarm with odd signs": (console.alarm, "a/b&c", "cloudwatch/home?region=eu-west-1#alarmsV2:alarm/a%2Fb%26c"),
    "log group": (
        console.log_group,
        "VPCFlowLogs",
        "cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/VPCFlowLogs",
    ),
    "log group with slashes": (
        console.log_group,
        "investigation/case-7/logins",
        "cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/investigation$252Fcase-7$252Flogins",
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_leads_to_the_consoles_own_page_of_the_region(name):
    make, what, wanted = LINKS[name]
    assert make("eu-west-1", what) == f"https://eu-west-1.console.aws.amazon.com/{wanted}"
    assert make("us-east-1", what).startswith("https://us-east-1.console.aws.amazon.com/")
    assert "region=us-east-1" in make("us-east-1", what)


def test_a_buckets_link_may_lead_into_a_folder():
    assert console.bucket("eu-west-1", "b", "AWSLogs/1 2/").endswith(
        "/s3/buckets/b?region=eu-west-1&prefix=AWSLogs/1%202/"
    )
