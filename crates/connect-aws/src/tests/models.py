"""Holds tables of reads against AWS's own models of its services, which botocore ships: that every
call is there, takes these inputs, and answers with what stands at these paths. Prints what is not
so, a line each, and a line of hyphens behind each table."""

import sys

import botocore.session
import yaml

table = {}
session = botocore.session.get_session()
models = {}
faults = []


def model(service):
    if service not in models:
        models[service] = session.get_service_model(service)
    return models[service]


def bare(uri):
    """A path with the names in it left out, and what only tells calls apart."""
    path, _, query = uri.partition("?")
    parts = ["{}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    query = "&".join(part for part in query.split("&") if part and not part.startswith("x-id="))
    return "/".join(parts) + "?" + query


def operation(ask):
    service = model(ask["service"])
    if not ask["call"].startswith("GET "):
        return service.operation_model(ask["call"])
    for name in service.operation_names:
        found = service.operation_model(name)
        # `GetBucketLifecycle` and its like are old answers of the same paths.
        if found.deprecated or found.http["method"] != "GET":
            continue
        if bare(found.http["requestUri"]) == bare(ask["call"][4:]):
            return found
    raise KeyError(ask["call"])


class Place:
    """A place in an answer: a shape, and the rest of a name that a list puts around its elements."""

    def __init__(self, shape, protocol, flat=False):
        self.shape, self.protocol, self.flat = shape, protocol, flat

    def down(self, name):
        shape = self.shape
        while shape.type_name == "list":
            inner = shape.member
            around = inner.serialization.get("name", "member")
            flat = self.flat or shape.serialization.get("flattened")
            xml = self.protocol in ("query", "ec2", "rest-xml")
            shape, self.flat = inner, False
            if xml and not flat and around not in ("item", "member"):
                return Place(shape, self.protocol) if name == around else None
        if shape.type_name == "map":
            return Place(shape.value, self.protocol)
        if shape.type_name != "structure":
            return None
        for own, member in shape.members.items():
            if member.serialization.get("name", own) == name:
                return Place(member, self.protocol, bool(member.serialization.get("flattened")))
        return None

    def at(self, path):
        place = self
        for name in path.split("."):
            place = place.down(name)
            if place is None:
                return None
        return place


class Read:
    """What was read of one resource: the element of the list, and answers under names."""

    def __init__(self, element, named):
        self.element, self.named = element, named

    def at(self, path):
        first, _, rest = path.partition(".")
        if first == "item":
            return self.element
        if first in self.named:
            return self.named[first].at(rest) if rest else self.named[first]
        return self.element.at(path)


def answer(kind, ask):
    """Where the answer to a call is, or its list."""
    where = f"{kind}: {ask['service']}:{ask['call']}"
    try:
        call = operation(ask)
    except Exception:
        faults.append(f"{where}: there is no such call")
        return None
    protocol = call.service_model.metadata["protocol"]
    service = table["services"][ask["service"]]
    inputs = set()
    for own, member in (call.input_shape.members if call.input_shape else {}).items():
        name = member.serialization.get("name", own)
        if protocol == "ec2":
            name = member.serialization.get("queryName", name[:1].upper() + name[1:])
        inputs.add(name)
    paging = ask.get("paging", service.get("paging"))
    paging = None if paging == "none" else paging
    wanted = list(ask.get("input", {}))
    if paging:
        wanted += [paging["token"]] + ([paging["size_name"]] if "size_name" in paging else [])
    for name in wanted:
        if name.split(".")[0] not in inputs:
            faults.append(f"{where}: it takes no {name}")
    # The one answer in which the body is a member.
    shape = call.output_shape
    payload = shape.serialization.get("payload")
    place = Place(shape.members[payload] if payload else shape, protocol)
    if paging and place.at(paging["next"]) is None:
        faults.append(f"{where}: it answers with no {paging['next']}")
    if not paging:
        # What goes on must be gone on with.
        marks = {"NextToken", "nextToken", "Marker", "NextMarker", "LastEvaluatedTableName"}
        going_on = marks & {m.serialization.get("name", n) for n, m in shape.members.items()}
        known = {"GetQueueAttributes", "DescribeLaunchTemplateVersions"}
        if going_on and inputs & marks and call.name not in known:
            faults.append(f"{where}: it goes on by {sorted(going_on)}")
    if "items" in ask:
        place = place.at(ask["items"])
        if place is None:
            faults.append(f"{where}: it answers with no {ask['items']}")
        elif place.shape.type_name == "list":
            place = Place(place.shape.member, protocol)
    return place


def check(where, read, path):
    if path == "policy" and where.startswith("AWS::S3::BucketPolicy"):
        return None
    found = read.at(path)
    if found is None:
        faults.append(f"{where}: nothing is at {path}")
    return found


def source(where, read, spec):
    if isinstance(spec, str):
        check(where, read, spec)
        return
    paths = spec["from"] if isinstance(spec["from"], list) else [spec["from"]]
    for path in paths:
        place = check(where, read, path)
        if place is None:
            continue
        for inner in list(spec.get("where", {})) + list(spec.get("unless", {})):
            check(f"{where}.{path}", place, inner)
        if "take" in spec:
            place = check(f"{where}.{path}", place, spec["take"])
        for name, inner in {**spec.get("of", {}), **spec.get("each", {})}.items():
            source(f"{where}.{name}", place, inner)


for table in yaml.load_all(sys.stdin, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    for name, service in table["services"].items():
        told = model(name).metadata
        protocol = {"ec2": "query", "rest-xml": "s3", "rest-json": "rest"}
        spoken = {protocol.get(one, one) for one in told.get("protocols", [told["protocol"]])}
        spoken = {f"json-{told['jsonVersion']}" if one == "json" else one for one in spoken}
        expected = {
            "host": told["endpointPrefix"],
            "signing": model(name).signing_name,
            "api": told["apiVersion"],
            "target": told.get("targetPrefix"),
        }
        for word, own in expected.items():
            given = service.get(word, name if word in ("host", "signing") else None)
            if given is not None and given != own:
                faults.append(f"{name}: its {word} is {own}")
        if service["protocol"] not in spoken:
            faults.append(f"{name}: it speaks {sorted(spoken)}")
    for kind in table["types"]:
        name = kind["type"]
        element = answer(name, kind["list"])
        if element is None:
            continue
        named = {}
        for ask in kind.get("beside", []) + kind.get("each", []):
            found = answer(name, ask)
            if found is not None:
                named[ask["name"]] = found
        read = Read(element, named)
        fault = [kind["fault"]] if "fault" in kind else []
        for path in [kind["id"], *kind.get("also", []), *kind.get("skip", {}), *fault]:
            check(name, read, path)
        for ask in kind.get("each", []):
            for path in ask.get("when", {}):
                check(name, read, path)
            for value in ask.get("input", {}).values():
                if isinstance(value, str) and value.startswith("{"):
                    check(name, read, value.strip("{}"))
        for ask in kind.get("beside", []):
            check(name, read, ask["by"])
            check(name, named[ask["name"]], ask["by"])
        for member, spec in kind["properties"].items():
            source(f"{name}, {member}", read, spec)
    print("\n".join([*faults, "---"]))
    faults.clear()
