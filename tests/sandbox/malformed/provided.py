"""What malformed requests are made against: a sandbox with one of everything, and its ids by member name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

ACCOUNT = "123456789012"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
TEMPLATE = "Resources: {Topic: {Type: 'AWS::SNS::Topic'}}"
COMMON = {
    "account": ACCOUNT, "accountid": ACCOUNT, "catalogid": ACCOUNT, "nexttoken": "token", "policydocument": POLICY,
    "assumerolepolicydocument": TRUST, "templatebody": TEMPLATE, "resourcetype": "VPC",
}  # fmt: skip

Make = Callable[[str], Any]


def provide(service: str, make: Make) -> dict[str, str]:
    """Make what the requests of a service are about, and return the ids by lower-case member name."""
    provider = _PROVIDERS.get(service)
    return {**COMMON, **(provider(make) if provider else {})}


def _bucket(make: Make, name: str = "lab-bucket") -> None:
    make("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def _s3(make: Make) -> dict[str, str]:
    _bucket(make)
    s3 = make("s3")
    s3.put_object(Bucket="lab-bucket", Key="key", Body=b"a,b\n1,2\n")
    s3.put_bucket_versioning(Bucket="lab-bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="lab-bucket", Key="key", Body=b"a,b\n1,2\n")
    upload = s3.create_multipart_upload(Bucket="lab-bucket", Key="key")["UploadId"]
    s3.upload_part(Bucket="lab-bucket", Key="key", UploadId=upload, PartNumber=1, Body=b"x")
    version = s3.list_object_versions(Bucket="lab-bucket")["Versions"][0]["VersionId"]
    return {"bucket": "lab-bucket", "key": "key", "uploadid": upload, "versionid": version, "id": "id",
            "copysource": "lab-bucket/key", "checksumalgorithm": "CRC32"}  # fmt: skip


def _ec2(make: Make) -> dict[str, str]:
    ec2 = make("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
    image = ec2.register_image(Name="image")["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, InstanceType="t3.micro")
    instance_id = instance["Instances"][0]["InstanceId"]
    interface = instance["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    _bucket(make)
    logs = ec2.create_flow_logs(ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3",
                                LogDestination="arn:aws:s3:::lab-bucket")  # fmt: skip
    ec2.create_key_pair(KeyName="key")
    ec2.create_launch_template(LaunchTemplateName="template", LaunchTemplateData={"InstanceType": "t3.micro"})
    options = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["a.example"]}])
    peer = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer)["VpcPeeringConnection"]
    transit = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    prefixes = ec2.create_managed_prefix_list(PrefixListName="p", MaxEntries=5, AddressFamily="IPv4")["PrefixList"]
    endpoint = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.eu-west-1.s3", RouteTableIds=[table])
    return {
        "vpcid": vpc, "subnetid": subnet, "groupid": group, "groupname": "g", "imageid": image,
        "instanceid": instance_id, "networkinterfaceid": interface, "internetgatewayid": gateway,
        "routetableid": table, "networkaclid": acl, "volumeid": volume, "snapshotid": snapshot,
        "allocationid": address, "flowlogid": logs["FlowLogIds"][0], "keyname": "key", "resourceid": vpc,
        "resource": vpc, "dhcpoptionsid": options["DhcpOptions"]["DhcpOptionsId"], "peervpcid": peer,
        "vpcpeeringconnectionid": peering["VpcPeeringConnectionId"], "transitgatewayid": transit,
        "prefixlistid": prefixes["PrefixListId"], "vpcendpointid": endpoint["VpcEndpoint"]["VpcEndpointId"],
        "launchtemplatename": "template", "cidrblock": "10.0.1.0/24", "destinationcidrblock": "10.9.0.0/16",
        "cidrip": "10.0.0.0/8", "availabilityzone": "eu-west-1a", "instancetype": "t3.micro",
        "securitygroupid": group, "logdestination": "arn:aws:s3:::lab-bucket",
        "servicename": "com.amazonaws.eu-west-1.s3",
        "ipprotocol": "tcp",
    }  # fmt: skip


def _iam(make: Make) -> dict[str, str]:
    iam = make("iam")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    iam.create_user(UserName="user")
    iam.create_group(GroupName="group")
    policy = iam.create_policy(PolicyName="policy", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.put_role_policy(RoleName="role", PolicyName="inline", PolicyDocument=POLICY)
    iam.put_user_policy(UserName="user", PolicyName="inline", PolicyDocument=POLICY)
    iam.attach_role_policy(RoleName="role", PolicyArn=policy)
    key = iam.create_access_key(UserName="user")["AccessKey"]["AccessKeyId"]
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.create_login_profile(UserName="user", Password="Passw0rd!x")
    return {"rolename": "role", "username": "user", "groupname": "group", "policyarn": policy, "policyname": "inline",
            "accesskeyid": key, "instanceprofilename": "profile", "policysourcearn": policy, "versionid": "v1",
            "permissionsboundary": policy}  # fmt: skip


def _sns(make: Make) -> dict[str, str]:
    sns, sqs = make("sns"), make("sqs")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    return {"topicarn": topic, "targetarn": topic, "subscriptionarn": subscription, "resourcearn": topic,
            "endpoint": arn, "protocol": "sqs", "attributename": "DisplayName", "name": "topic"}  # fmt: skip


def _sqs(make: Make) -> dict[str, str]:
    sqs = make("sqs")
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    receipt = sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    return {"queueurl": queue, "queuename": "queue", "receipthandle": receipt, "waittimeseconds": "0",
            "sourcearn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:queue"}  # fmt: skip


def _logs(make: Make) -> dict[str, str]:
    logs = make("logs")
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    logs.put_log_events(logGroupName="group", logStreamName="stream",
                        logEvents=[{"timestamp": 1793610000000, "message": "m"}])  # fmt: skip
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    logs.put_metric_filter(logGroupName="group", filterName="filter", filterPattern="x",
                           metricTransformations=[transformation])  # fmt: skip
    query = logs.start_query(logGroupName="group", queryString="fields @message", startTime=1, endTime=1793610000)
    definition = logs.put_query_definition(name="q", queryString="fields @message")["queryDefinitionId"]
    arn = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:group"
    return {"loggroupname": "group", "logstreamname": "stream", "filtername": "filter", "queryid": query["queryId"],
            "querydefinitionid": definition, "querystring": "fields @message", "filterpattern": "x",
            "loggrouparn": arn, "resourcearn": arn, "loggroupidentifier": "group"}  # fmt: skip


def _cloudwatch(make: Make) -> dict[str, str]:
    cloudwatch = make("cloudwatch")
    cloudwatch.put_metric_data(Namespace="ns", MetricData=[{"MetricName": "m", "Value": 1}])
    cloudwatch.put_metric_alarm(AlarmName="alarm", Namespace="ns", MetricName="m", Statistic="Sum", Period=60,
                                EvaluationPeriods=1, Threshold=1,
                                ComparisonOperator="GreaterThanThreshold")  # fmt: skip
    cloudwatch.put_dashboard(DashboardName="board", DashboardBody='{"widgets": []}')
    return {"alarmname": "alarm", "namespace": "ns", "metricname": "m", "dashboardname": "board",
            "resourcearn": f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:alarm"}  # fmt: skip


def _athena(make: Make) -> dict[str, str]:
    known = _glue(make)
    athena = make("athena")
    result = {"OutputLocation": "s3://lab-bucket/results/"}
    query = athena.start_query_execution(QueryString="SELECT 1", ResultConfiguration=result)["QueryExecutionId"]
    athena.create_work_group(Name="group", Configuration={"ResultConfiguration": result})
    named = athena.create_named_query(Name="n", Database="db", QueryString="SELECT 1")["NamedQueryId"]
    athena.create_prepared_statement(StatementName="statement", WorkGroup="group", QueryStatement="SELECT 1")
    return {**known, "queryexecutionid": query, "workgroup": "group", "namedqueryid": named, "database": "db",
            "statementname": "statement", "querystring": "SELECT 1", "catalogname": "AwsDataCatalog",
            "outputlocation": "s3://lab-bucket/results/",
            "resourcearn": f"arn:aws:athena:eu-west-1:{ACCOUNT}:workgroup/group"}  # fmt: skip


def _glue(make: Make) -> dict[str, str]:
    _bucket(make)
    glue = make("glue")
    glue.create_database(DatabaseInput={"Name": "db"})
    storage = {"Columns": [{"Name": "a", "Type": "string"}], "Location": "s3://lab-bucket/t/"}
    table = {"Name": "t", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "p", "Type": "string"}]}
    glue.create_table(DatabaseName="db", TableInput=table)
    glue.create_partition(DatabaseName="db", TableName="t",
                          PartitionInput={"Values": ["1"], "StorageDescriptor": storage})  # fmt: skip
    return {"databasename": "db", "tablename": "t", "name": "t", "partitionvalue": "1", "value": "1"}


def _cloudformation(make: Make) -> dict[str, str]:
    stacks = make("cloudformation")
    stack = stacks.create_stack(StackName="stack", TemplateBody=TEMPLATE)["StackId"]
    change = stacks.create_change_set(StackName="stack", ChangeSetName="change", TemplateBody=TEMPLATE)["Id"]
    return {"stackname": "stack", "stackid": stack, "changesetname": change}


def _kms(make: Make) -> dict[str, str]:
    kms = make("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/lab", TargetKeyId=key)
    return {"keyid": key, "targetkeyid": key, "aliasname": "alias/lab", "policyname": "default"}


def _ssm(make: Make) -> dict[str, str]:
    make("ssm").put_parameter(Name="/lab/name", Value="v", Type="String")
    return {"name": "/lab/name", "resourceid": "/lab/name", "resourcetype": "Parameter", "path": "/lab"}


def _secretsmanager(make: Make) -> dict[str, str]:
    make("secretsmanager").create_secret(Name="secret", SecretString="s")
    return {"secretid": "secret", "name": "secret"}


def _kinesis(make: Make) -> dict[str, str]:
    kinesis = make("kinesis")
    kinesis.create_stream(StreamName="stream", ShardCount=1)
    arn = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/stream"
    iterator = kinesis.get_shard_iterator(StreamName="stream", ShardId="shardId-000000000000",
                                          ShardIteratorType="LATEST")["ShardIterator"]  # fmt: skip
    return {"streamname": "stream", "streamarn": arn, "resourcearn": arn, "sharditerator": iterator,
            "shardid": "shardId-000000000000"}  # fmt: skip


def _firehose(make: Make) -> dict[str, str]:
    make("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    _bucket(make)
    destination = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/role", "BucketARN": "arn:aws:s3:::lab-bucket"}
    make("firehose").create_delivery_stream(DeliveryStreamName="stream", S3DestinationConfiguration=destination)
    return {"deliverystreamname": "stream", "rolearn": destination["RoleARN"], "bucketarn": destination["BucketARN"]}


def _events(make: Make) -> dict[str, str]:
    events = make("events")
    events.put_rule(Name="rule", ScheduleExpression="rate(5 minutes)")
    queue = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:queue"
    events.put_targets(Rule="rule", Targets=[{"Id": "t", "Arn": queue}])
    arn = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/rule"
    return {"name": "rule", "rule": "rule", "resourcearn": arn, "eventpattern": '{"source": ["a"]}'}


_PROVIDERS: dict[str, Callable[[Make], dict[str, str]]] = {
    "athena": _athena, "cloudformation": _cloudformation, "cloudwatch": _cloudwatch, "ec2": _ec2, "events": _events,
    "firehose": _firehose, "glue": _glue, "iam": _iam, "kinesis": _kinesis, "kms": _kms, "logs": _logs, "s3": _s3,
    "secretsmanager": _secretsmanager, "sns": _sns, "sqs": _sqs, "ssm": _ssm,
}  # fmt: skip
