"""Serves AWS with moto, and in front of it a fake of what moto lacks of CloudFormation: change sets
that bring what drifted back to the template (deployment mode REVERT_DRIFT).

The fake compares the stack's own template with what moto holds, property by property, and when such a
change set is executed it puts the properties back with calls to moto. It knows the types in `TYPES`
and the functions in `resolved`, and refuses what else a template says. What AWS documents is kept: a
change set never changes once it is made, is looked up by its ARN or by its stack and name, is executed
once, is obsolete when the stack was updated since, and goes with the others of its stack when one of
them is executed. Every other call goes through to moto.

POST /fake/alter with a change set's ARN alters it, which AWS has no call for."""

import io
import json
import re
import sys
import threading
import traceback
import uuid
from datetime import datetime, timezone
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import boto3
import moto.server
import yaml
from botocore.exceptions import ClientError
from moto.cloudformation.models import cloudformation_backends

ACCOUNT, REGION = "123456789012", "eu-west-1"
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class Refused(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def missing(*codes):
    """A call whose answer is nothing where AWS says one of these."""

    def around(call, **arguments):
        try:
            return call(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] in codes:
                return None
            raise

    return around


def tags(found):
    kept = [t for t in found or [] if not t["Key"].startswith("aws:")]
    return sorted(kept, key=lambda tag: tag["Key"])


class SecurityGroup:
    properties, write_only = ("SecurityGroupIngress", "Tags"), ()

    def __init__(self, client):
        self.ec2 = client("ec2")

    def declared(self, properties):
        wanted = {"SecurityGroupIngress": sorted(properties.get("SecurityGroupIngress", []), key=json.dumps)}
        return wanted | {"Tags": tags(properties.get("Tags"))}

    def read(self, group):
        found = missing("InvalidGroup.NotFound")(self.ec2.describe_security_groups, GroupIds=[group])
        if found is None:
            return None
        group = found["SecurityGroups"][0]
        rules = [
            {"IpProtocol": p["IpProtocol"], "FromPort": p["FromPort"], "ToPort": p["ToPort"], "CidrIp": r["CidrIp"]}
            for p in group["IpPermissions"]
            for r in p["IpRanges"]
        ]
        return {"SecurityGroupIngress": sorted(rules, key=json.dumps), "Tags": tags(group.get("Tags"))}

    def put(self, group, wanted):
        there = self.read(group)
        for call, rules, but in (
            (self.ec2.revoke_security_group_ingress, there, wanted),
            (self.ec2.authorize_security_group_ingress, wanted, there),
        ):
            for rule in rules["SecurityGroupIngress"]:
                if rule not in but["SecurityGroupIngress"]:
                    ranges = [{"CidrIp": rule["CidrIp"]}]
                    call(GroupId=group, IpPermissions=[{k: v for k, v in rule.items() if k != "CidrIp"} | {"IpRanges": ranges}])
        gone = [{"Key": t["Key"]} for t in there["Tags"] if t["Key"] not in {w["Key"] for w in wanted["Tags"]}]
        if gone:
            self.ec2.delete_tags(Resources=[group], Tags=gone)
        if wanted["Tags"]:
            self.ec2.create_tags(Resources=[group], Tags=wanted["Tags"])

    def make(self, _id, properties):
        raise Refused("ValidationError", "the fake makes no security group: it would get another id")


class Bucket:
    properties, write_only = ("BucketEncryption", "Tags"), ()

    def __init__(self, client):
        self.s3 = client("s3")

    def declared(self, properties):
        rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
        kinds = [rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules]
        return {"BucketEncryption": kinds, "Tags": tags(properties.get("Tags"))}

    def read(self, bucket):
        if missing("404", "NoSuchBucket")(self.s3.head_bucket, Bucket=bucket) is None:
            return None
        none = missing("ServerSideEncryptionConfigurationNotFoundError", "NoSuchTagSet")
        found = none(self.s3.get_bucket_encryption, Bucket=bucket) or {"ServerSideEncryptionConfiguration": {"Rules": []}}
        rules = found["ServerSideEncryptionConfiguration"]["Rules"]
        kinds = [rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules]
        found = none(self.s3.get_bucket_tagging, Bucket=bucket) or {"TagSet": []}
        return {"BucketEncryption": kinds, "Tags": tags(found["TagSet"])}

    def put(self, bucket, wanted):
        rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": kind}} for kind in wanted["BucketEncryption"]]
        if rules:
            self.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        else:
            self.s3.delete_bucket_encryption(Bucket=bucket)
        own = self.read_own_tags(bucket)
        self.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": own + wanted["Tags"]})

    def read_own_tags(self, bucket):
        found = missing("NoSuchTagSet")(self.s3.get_bucket_tagging, Bucket=bucket) or {"TagSet": []}
        return [tag for tag in found["TagSet"] if tag["Key"].startswith("aws:")]

    def make(self, bucket, properties):
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.put(bucket, self.declared(properties))


class Queue:
    properties, write_only = ("VisibilityTimeout",), ()

    def __init__(self, client):
        self.sqs = client("sqs")

    def declared(self, properties):
        return {"VisibilityTimeout": int(properties.get("VisibilityTimeout", 30))}

    def read(self, url):
        gone = missing("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
        found = gone(self.sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        return found and {"VisibilityTimeout": int(found["Attributes"]["VisibilityTimeout"])}

    def put(self, url, wanted):
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={k: str(v) for k, v in wanted.items()})

    def make(self, url, properties):
        attributes = {k: str(v) for k, v in self.declared(properties).items()}
        self.sqs.create_queue(QueueName=url.rsplit("/", 1)[1], Attributes=attributes)


class Parameter:
    properties, write_only = ("Description", "Value"), ()

    def __init__(self, client):
        self.ssm = client("ssm")

    def declared(self, properties):
        return {"Description": properties.get("Description", ""), "Value": properties["Value"]}

    def read(self, name):
        filters = [{"Key": "Name", "Values": [name]}]
        found = self.ssm.describe_parameters(ParameterFilters=filters)["Parameters"]
        if not found:
            return None
        value = self.ssm.get_parameter(Name=name)["Parameter"]["Value"]
        return {"Description": found[0].get("Description", ""), "Value": value}

    def put(self, name, wanted):
        self.ssm.put_parameter(Name=name, Type="String", Overwrite=True, **wanted)

    def make(self, name, properties):
        self.ssm.put_parameter(Name=name, Type="String", **self.declared(properties))


TYPES = {
    "AWS::EC2::SecurityGroup": SecurityGroup,
    "AWS::S3::Bucket": Bucket,
    "AWS::SQS::Queue": Queue,
    "AWS::SSM::Parameter": Parameter,
}


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short tags."""


def short(loader, name, node):
    kinds = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
    value = kinds.get(type(node), loader.construct_mapping)(node, **({} if isinstance(node, yaml.ScalarNode) else {"deep": True}))
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


Template.add_multi_constructor("!", short)


def resolved(value, known):
    """A value of a template with what it refers to put in."""
    if isinstance(value, list):
        return [resolved(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return known[value["Ref"]]
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return re.sub(r"\$\{([^}!]+)\}", lambda name: known[name[1]], value["Fn::Sub"])
    if any(name.startswith("Fn::") for name in value):
        raise Refused("ValidationError", f"the fake does not know {list(value)}")
    return {name: resolved(inner, known) for name, inner in value.items()}


class ChangeSet:
    def __init__(self, name, stack, client, wanted):
        self.name, self.stack, self.description = name, stack, wanted.get("Description")
        self.id = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/{name}/{uuid.uuid4()}"
        self.made = datetime.now(timezone.utc).isoformat()
        self.execution = "AVAILABLE"
        self.changes, self.todo = [], []
        self.compare(client)
        self.status = "CREATE_COMPLETE" if self.changes else "FAILED"
        if not self.changes:
            self.execution = "UNAVAILABLE"

    def compare(self, client):
        formation = client("cloudformation")
        template = formation.get_template(StackName=self.stack["StackName"])["TemplateBody"]
        template = template if isinstance(template, dict) else yaml.load(template, Template)
        there = formation.describe_stack_resources(StackName=self.stack["StackName"])["StackResources"]
        there = {one["LogicalResourceId"]: one for one in there}
        known = {p["ParameterKey"]: p["ParameterValue"] for p in self.stack.get("Parameters", [])}
        known |= {name: one["PhysicalResourceId"] for name, one in there.items()}
        for name, one in there.items():
            kind = TYPES.get(one["ResourceType"])
            if kind is None:
                raise Refused("ValidationError", f"the fake does not know {one['ResourceType']}")
            kind = kind(client)
            properties = resolved(template["Resources"][name].get("Properties", {}), known)
            self.compare_one(one, kind, properties)

    def compare_one(self, one, kind, properties):
        wanted, actual = kind.declared(properties), kind.read(one["PhysicalResourceId"])
        change = {
            "LogicalResourceId": one["LogicalResourceId"],
            "PhysicalResourceId": one["PhysicalResourceId"],
            "ResourceType": one["ResourceType"],
        }
        ignored = [{"Path": f"/Properties/{name}", "Reason": "WRITE_ONLY_PROPERTY"} for name in kind.write_only if name in properties]
        if ignored:
            change["ResourceDriftIgnoredAttributes"] = ignored
        if actual is None:
            change |= {"Action": "Add", "ResourceDriftStatus": "DELETED", "Scope": [], "Details": []}
            self.todo.append(lambda: kind.make(one["PhysicalResourceId"], properties))
        elif wanted != actual:
            details = [self.detail(name, wanted[name], actual[name]) for name in kind.properties if wanted[name] != actual[name]]
            scope = sorted({detail["Target"]["Attribute"] for detail in details})
            change |= {"Action": "Modify", "Replacement": "False", "ResourceDriftStatus": "MODIFIED", "Scope": scope, "Details": details}
            self.todo.append(lambda: kind.put(one["PhysicalResourceId"], wanted))
        else:
            return
        self.changes.append({"Type": "Resource", "ResourceChange": change})

    def detail(self, name, wanted, actual):
        said = lambda value: value if isinstance(value, str) else json.dumps(value)
        target = {
            "Attribute": "Tags" if name == "Tags" else "Properties",
            "RequiresRecreation": "Never",
            "Path": f"/Properties/{name}",
            "AttributeChangeType": "Modify",
            "BeforeValue": said(actual),
            "AfterValue": said(wanted),
            "BeforeValueFrom": "ACTUAL_STATE",
            "AfterValueFrom": "TEMPLATE",
            "Drift": {"PreviousValue": said(wanted), "ActualValue": said(actual), "DriftDetectionTimestamp": self.made},
        }
        if name != "Tags":
            target["Name"] = name
        return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}

    def described(self, with_values):
        changes = json.loads(json.dumps(self.changes))
        if not with_values:
            for change in changes:
                for detail in change["ResourceChange"]["Details"]:
                    for name in ("Path", "AttributeChangeType", "BeforeValue", "AfterValue", "Drift"):
                        del detail["Target"][name]
        said = {
            "ChangeSetName": self.name,
            "ChangeSetId": self.id,
            "StackId": self.stack["StackId"],
            "StackName": self.stack["StackName"],
            "Description": self.description,
            "CreationTime": self.made,
            "ExecutionStatus": self.execution,
            "Status": self.status,
            "StackDriftStatus": "DRIFTED" if self.changes else "IN_SYNC",
            "DeploymentMode": "REVERT_DRIFT",
            "Changes": changes,
        }
        if not self.changes:
            said["StatusReason"] = "The submitted information didn't contain changes."
        return said


class Front:
    """What stands before moto."""

    def __init__(self, moto):
        self.moto, self.held, self.lock = moto, [], threading.RLock()

    def __call__(self, environ, start):
        if environ["REQUEST_METHOD"] != "POST":
            return self.moto(environ, start)
        altered = environ["PATH_INFO"] == "/fake/alter"
        # The body of a form moto has to read, too; other bodies are none of ours.
        if altered or "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            if altered:
                self.find({"ChangeSetName": body.decode()}).changes.pop()
                return self.answer(start, "200 OK", b"")
            wanted = dict(parse_qsl(body.decode(), keep_blank_values=True))
            ours = self.call(environ, wanted)
            if ours is not None:
                return self.answer(start, *ours)
        return self.moto(environ, start)

    def answer(self, start, status, body):
        start(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def call(self, environ, wanted):
        action = wanted.get("Action")
        own = {"CreateChangeSet": self.create, "DescribeChangeSet": self.describe, "DeleteChangeSet": self.delete, "ExecuteChangeSet": self.execute}
        if action == "UpdateStack":
            with self.lock:
                for one in self.of(wanted["StackName"]):
                    one.execution = "OBSOLETE"
        if action not in own or (action == "CreateChangeSet" and "DeploymentMode" not in wanted):
            return None
        url = f"http://{environ['HTTP_HOST']}"
        client = lambda name: boto3.client(name, endpoint_url=url, region_name=REGION, aws_access_key_id="fake", aws_secret_access_key="fake")
        try:
            with self.lock:
                said = own[action](wanted, client)
        except Refused as error:
            return self.refused(error)
        except Exception:
            # Answered like this nobody tries again, and the test shows why.
            return self.refused(Refused("FakeBroke", traceback.format_exc()))
        result = f"<{action}Result>{xml(said)}</{action}Result>"
        return "200 OK", f'<{action}Response xmlns="{NAMESPACE}">{result}</{action}Response>'.encode()

    def refused(self, error):
        told = f"<Type>Sender</Type><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        told = f'<ErrorResponse xmlns="{NAMESPACE}"><Error>{told}</Error></ErrorResponse>'
        return f"{error.status} Refused", told.encode()

    def of(self, stack):
        return [one for one in self.held if stack in (one.stack["StackName"], one.stack["StackId"])]

    def find(self, wanted):
        name, stack = wanted["ChangeSetName"], wanted.get("StackName")
        for one in self.held:
            if name == one.id or (name == one.name and one in self.of(stack)):
                return one
        raise Refused("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)

    def create(self, wanted, client):
        if wanted["DeploymentMode"] != "REVERT_DRIFT" or wanted.get("UsePreviousTemplate") != "true":
            raise Refused("ValidationError", "the fake reverts drift to the template that is there")
        try:
            stack = client("cloudformation").describe_stacks(StackName=wanted["StackName"])["Stacks"][0]
        except ClientError as error:
            raise Refused("ValidationError", error.response["Error"]["Message"]) from None
        given = {wanted[key] for key in wanted if key.endswith(".ParameterKey")}
        for parameter in stack.get("Parameters", []):
            if parameter["ParameterKey"] not in given:
                raise Refused("ValidationError", f"Parameters: [{parameter['ParameterKey']}] must have values")
        if any(one.name == wanted["ChangeSetName"] for one in self.of(wanted["StackName"])):
            raise Refused("AlreadyExistsException", f"ChangeSet {wanted['ChangeSetName']} already exists")
        made = ChangeSet(wanted["ChangeSetName"], stack, client, wanted)
        self.held.append(made)
        return {"Id": made.id, "StackId": stack["StackId"]}

    def describe(self, wanted, _client):
        return self.find(wanted).described(wanted.get("IncludePropertyValues") == "true")

    def delete(self, wanted, _client):
        self.held.remove(self.find(wanted))
        return {}

    def execute(self, wanted, _client):
        found = self.find(wanted)
        if found.execution != "AVAILABLE":
            message = f"ChangeSet [{found.id}] cannot be executed in its current execution status of [{found.execution}]"
            raise Refused("InvalidChangeSetStatus", message)
        for put in found.todo:
            put()
        # Nothing of the template changed: moto has only to say that an update went well.
        cloudformation_backends[ACCOUNT][REGION].get_stack(found.stack["StackName"]).status = "UPDATE_COMPLETE"
        self.held = [one for one in self.held if one not in self.of(found.stack["StackId"])]
        return {}


def xml(value):
    """A value as the query protocol writes it."""
    if isinstance(value, dict):
        return "".join(f"<{name}>{xml(inner)}</{name}>" for name, inner in value.items() if inner is not None)
    if isinstance(value, list):
        return "".join(f"<member>{xml(inner)}</member>" for inner in value)
    return escape(str(value))


run = moto.server.run_simple
moto.server.run_simple = lambda host, port, app, **more: run(host, port, Front(app), **more)
moto.server.main(sys.argv[1:])
