"""An estate for the tests, made with boto3. Prints what it is called as JSON, then has the server
check signatures and permissions of every further call."""

import io
import json
import sys
import urllib.request
import zipfile

import boto3

ENDPOINT = sys.argv[1]
REGION = "eu-central-1"
ACCOUNT = "123456789012"


def client(name, region=REGION):
    return boto3.client(
        name,
        region_name=region,
        endpoint_url=ENDPOINT,
        aws_access_key_id="maker",
        aws_secret_access_key="maker",
    )


def tags(names):
    return [{"Key": key, "Value": value} for key, value in names.items()]


made = {}
trust = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def policy(*actions):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
        }
    )


def networks():
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.create_tags(Resources=[vpc], Tags=tags({"team": "net", "Name": "a & b <c>"}))
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.7.1.0/24", AvailabilityZone="eu-central-1a"
    )["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    web = ec2.create_security_group(GroupName="web", Description="from outside", VpcId=vpc)["GroupId"]
    db = ec2.create_security_group(GroupName="db", Description="from web", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=web,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "IpRanges": [
                    {"CidrIp": "0.0.0.0/0", "Description": "everybody"},
                    {"CidrIp": "10.0.0.0/8"},
                ],
                "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
            },
            {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ],
    )
    ec2.authorize_security_group_ingress(
        GroupId=db,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": web}]}
        ],
    )
    ec2.revoke_security_group_egress(
        GroupId=db, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    ec2.create_tags(Resources=[web], Tags=tags({"team": "net"}))
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.create_tags(Resources=[table, gateway], Tags=tags({"team": "net"}))
    made.update(vpc=vpc, subnet=subnet, web=web, db=db, table=table, gateway=gateway)


def machines():
    ec2 = client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    run = dict(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    machine = ec2.run_instances(
        SubnetId=made["subnet"],
        SecurityGroupIds=[made["web"], made["db"]],
        Monitoring={"Enabled": True},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags({"role": "web"})}],
        **run,
    )["Instances"][0]["InstanceId"]
    ended = ec2.run_instances(SubnetId=made["subnet"], **run)["Instances"][0]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[ended])
    volume = ec2.create_volume(
        AvailabilityZone="eu-central-1a", Size=12, VolumeType="gp3", Iops=4000, Encrypted=True
    )["VolumeId"]
    address = ec2.allocate_address(Domain="vpc")
    template = ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"},
    )["LaunchTemplate"]["LaunchTemplateId"]
    ec2.create_launch_template_version(
        LaunchTemplateId=template,
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "t3.small",
            "SecurityGroupIds": [made["web"]],
            "Monitoring": {"Enabled": True},
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3", "Encrypted": True}}
            ],
            "TagSpecifications": [{"ResourceType": "instance", "Tags": tags({"role": "web"})}],
        },
    )
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=0,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "2"},
        VPCZoneIdentifier=made["subnet"],
        HealthCheckGracePeriod=120,
        Tags=[
            {
                "ResourceId": "web",
                "ResourceType": "auto-scaling-group",
                "Key": "role",
                "Value": "web",
                "PropagateAtLaunch": True,
            }
        ],
    )
    made.update(
        image=image,
        machine=machine,
        ended=ended,
        volume=volume,
        address=address["PublicIp"],
        allocation=address["AllocationId"],
        template=template,
    )


def buckets():
    s3 = client("s3")
    here = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="whole.bucket", CreateBucketConfiguration=here)
    s3.create_bucket(Bucket="logs-bucket", CreateBucketConfiguration=here)
    client("s3", "us-east-1").create_bucket(Bucket="far-bucket")
    s3.put_bucket_versioning(Bucket="whole.bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket="whole.bucket",
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": "alias/data",
                    },
                    "BucketKeyEnabled": True,
                }
            ]
        },
    )
    s3.put_public_access_block(
        Bucket="whole.bucket",
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": False,
        },
    )
    s3.put_bucket_ownership_controls(
        Bucket="logs-bucket",
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
    )
    grant = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}
    owner = s3.get_bucket_acl(Bucket="logs-bucket")["Owner"]
    s3.put_bucket_acl(
        Bucket="logs-bucket",
        AccessControlPolicy={
            "Grants": [
                {"Grantee": grant, "Permission": "WRITE"},
                {"Grantee": grant, "Permission": "READ_ACP"},
            ],
            "Owner": owner,
        },
    )
    s3.put_bucket_logging(
        Bucket="whole.bucket",
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "logs-bucket", "TargetPrefix": "whole/"}},
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket="whole.bucket",
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old",
                    "Status": "Enabled",
                    "Filter": {"Prefix": "tmp/"},
                    "Expiration": {"Days": 30},
                    "Transitions": [{"Days": 10, "StorageClass": "GLACIER"}],
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
                },
                {
                    "ID": "tagged",
                    "Status": "Disabled",
                    "Filter": {"And": {"Prefix": "a/", "Tags": tags({"keep": "no"})}},
                    "Expiration": {"Days": 1},
                },
            ]
        },
    )
    s3.put_bucket_tagging(Bucket="whole.bucket", Tagging={"TagSet": tags({"data": "kept", "a": "1"})})
    s3.put_bucket_policy(
        Bucket="whole.bucket",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "TlsOnly",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": "arn:aws:s3:::whole.bucket/*",
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            }
        ),
    )


def people():
    iam = client("iam")
    role = iam.create_role(
        RoleName="reporter",
        Path="/service/",
        AssumeRolePolicyDocument=trust,
        Description="writes reports",
        MaxSessionDuration=7200,
        Tags=tags({"team": "data"}),
    )["Role"]["Arn"]
    managed = iam.create_policy(
        PolicyName="read-reports",
        Path="/service/",
        Description="reads",
        PolicyDocument=policy("s3:GetObject"),
    )["Policy"]["Arn"]
    iam.create_policy_version(
        PolicyArn=managed, PolicyDocument=policy("s3:GetObject", "s3:ListBucket"), SetAsDefault=True
    )
    iam.attach_role_policy(RoleName="reporter", PolicyArn=managed)
    iam.put_role_policy(RoleName="reporter", PolicyName="inline", PolicyDocument=policy("sqs:SendMessage"))
    for number in range(3):
        iam.create_role(RoleName=f"spare-{number}", AssumeRolePolicyDocument=trust)
    iam.create_group(GroupName="operators")
    iam.create_user(UserName="ada", Tags=tags({"team": "data"}))
    iam.add_user_to_group(GroupName="operators", UserName="ada")
    iam.put_user_policy(UserName="ada", PolicyName="own", PolicyDocument=policy("s3:GetObject"))
    iam.create_role(
        RoleName="reader",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/looker"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )
    iam.put_role_policy(RoleName="reader", PolicyName="all", PolicyDocument=policy("*"))
    made.update(role=role, managed=managed)


def messages():
    sqs = client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    queue = sqs.create_queue(
        QueueName="orders",
        Attributes={
            "VisibilityTimeout": "45",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 4}),
        },
        tags={"team": "orders"},
    )["QueueUrl"]
    sns = client("sns")
    topic = sns.create_topic(
        Name="news", Attributes={"DisplayName": "News"}, Tags=tags({"team": "orders"})
    )["TopicArn"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    made.update(dead=dead, dead_arn=dead_arn, queue=queue, queue_arn=queue_arn, topic=topic)


def data():
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="carts",
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "owner", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-owner",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        Tags=tags({"team": "orders"}),
    )
    dynamodb.update_continuous_backups(
        TableName="carts", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.update_time_to_live(
        TableName="carts", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    for number in range(2):
        dynamodb.create_table(
            TableName=f"spare-{number}",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 3},
        )
    rds = client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="ledger",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        EngineVersion="15.4",
        AllocatedStorage=20,
        MasterUsername="ledger",
        MasterUserPassword="never-to-be-seen",
        StorageEncrypted=True,
        BackupRetentionPeriod=7,
        PubliclyAccessible=False,
        DeletionProtection=True,
        Tags=tags({"team": "money"}),
    )
    secrets = client("secretsmanager")
    made["secret"] = secrets.create_secret(
        Name="ledger/password", SecretString="never-to-be-seen", Description="of the ledger", Tags=tags({"team": "money"})
    )["ARN"]
    ssm = client("ssm")
    ssm.put_parameter(Name="/app/size", Type="String", Value="large", Tags=tags({"team": "app"}))
    ssm.put_parameter(Name="/app/key", Type="SecureString", Value="never-to-be-seen")
    kms = client("kms")
    made["key"] = kms.create_key(Description="data", Tags=[{"TagKey": "team", "TagValue": "data"}])["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=made["key"])
    made["ended_key"] = kms.create_key(Description="old")["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=made["ended_key"], PendingWindowInDays=7)


def programs():
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def run(event, context):\n    return 1\n")
    client("lambda").create_function(
        FunctionName="report",
        Runtime="python3.12",
        Role=made["role"],
        Handler="main.run",
        Code={"ZipFile": code.getvalue()},
        Timeout=9,
        MemorySize=256,
        Environment={"Variables": {"MODE": "fast"}},
        Tags={"team": "data"},
    )
    ecr = client("ecr")
    ecr.create_repository(
        repositoryName="shop/web",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        tags=tags({"team": "web"}),
    )
    ecr.put_lifecycle_policy(
        repositoryName="shop/web",
        lifecyclePolicyText=json.dumps(
            {
                "rules": [
                    {
                        "rulePriority": 1,
                        "selection": {
                            "tagStatus": "untagged",
                            "countType": "imageCountMoreThan",
                            "countNumber": 5,
                        },
                        "action": {"type": "expire"},
                    }
                ]
            }
        ),
    )
    logs = client("logs")
    logs.create_log_group(logGroupName="/app/web", tags={"team": "web"})
    for number in range(2):
        logs.create_log_group(logGroupName=f"/spare/{number}")
    logs.put_retention_policy(logGroupName="/app/web", retentionInDays=14)
    client("cloudwatch").put_metric_alarm(
        AlarmName="full",
        AlarmDescription="a disk is full",
        Namespace="App",
        MetricName="DiskUsed",
        Dimensions=[{"Name": "Host", "Value": "web-1"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=3,
        Threshold=92.5,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[made["topic"]],
        Tags=tags({"team": "web"}),
    )


TEMPLATE = """AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Keep: { Type: Number, Default: 3 }
Resources:
  Parcels:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "parcels-${Keep}"
"""


def stacks():
    client("cloudformation").create_stack(
        StackName="parcels", TemplateBody=TEMPLATE, Parameters=[{"ParameterKey": "Keep", "ParameterValue": "5"}]
    )


def callers():
    iam = client("iam")
    for name, actions in [("looker", ["*"]), ("blind", ["ec2:*", "sqs:*", "sns:ListTopics"])]:
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy(*actions))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made[name] = [key["AccessKeyId"], key["SecretAccessKey"]]


for make in [networks, machines, buckets, people, messages, data, programs, stacks, callers]:
    make()
guard = urllib.request.Request(
    f"{ENDPOINT}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
)
urllib.request.urlopen(guard).read()
print(json.dumps(made))
