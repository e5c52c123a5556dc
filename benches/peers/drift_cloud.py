"""Makes resources in a server that speaks AWS's protocols; prints those of Terraform's types with
their ids as JSON.

usage: drift_cloud.py ENDPOINT COUNT
"""

import json
import sys

import boto3

ENDPOINT, COUNT = sys.argv[1], int(sys.argv[2])
REGION = "eu-central-1"
TRUST = json.dumps(
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


def client(name):
    return boto3.client(
        name,
        region_name=REGION,
        endpoint_url=ENDPOINT,
        aws_access_key_id="maker",
        aws_secret_access_key="maker",
    )


def tags(place):
    return [{"Key": "owner", "Value": f"team-{place % 40}"}]


def instances(count):
    ec2 = client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    run = ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count)
    return [one["InstanceId"] for one in run["Instances"]]


def groups(count):
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    ids = []
    for place in range(count):
        group = ec2.create_security_group(
            GroupName=f"svc-{place}", Description="of the measurement", VpcId=vpc
        )["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
                }
            ],
        )
        ids.append(group)
    return ids


def queues(count):
    sqs = client("sqs")
    names = [f"orders-{place}" for place in range(count)]
    return [sqs.create_queue(QueueName=name, tags={"owner": "team"})["QueueUrl"] for name in names]


def topics(count):
    sns = client("sns")
    return [
        sns.create_topic(Name=f"orders-{place}", Tags=tags(place))["TopicArn"]
        for place in range(count)
    ]


def roles(count):
    iam = client("iam")
    names = [f"svc-{place}" for place in range(count)]
    for place, name in enumerate(names):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=tags(place))
    return names


def tables(count):
    dynamodb = client("dynamodb")
    names = [f"orders-{place}" for place in range(count)]
    for name in names:
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
    return names


# What each type has of every twenty.
SHARES = {
    "aws_instance": (instances, 6),
    "aws_security_group": (groups, 6),
    "aws_iam_role": (roles, 4),
    "aws_sqs_queue": (queues, 2),
    "aws_sns_topic": (topics, 1),
    "aws_dynamodb_table": (tables, 1),
}

print(json.dumps({kind: make(COUNT * of // 20) for kind, (make, of) in SHARES.items()}))
