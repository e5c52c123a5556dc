"""What schemathesis needs to know about this API, and the check of its own.

COUNTERSIGN_FOREIGN names a file of another tenant's ids, one a line, each after the path it is found
at there. They are tried wherever the description has an id: in paths, queries and bodies. Nobody
gets in by one, and no answer holds one.
COUNTERSIGN_OWN names ids, with commas between, that are asked for nowhere: those of the callers, who
could revoke their own keys and would then see nothing but refusals.
COUNTERSIGN_SESSION is a person's session: it asks for what only people have, their account.
"""

import atexit
import collections
import json
import os
import random
import urllib.request

import schemathesis

URL = os.environ.get("COUNTERSIGN_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("COUNTERSIGN_API_KEY", "")
SESSION = os.environ.get("COUNTERSIGN_SESSION", KEY)
OWN = [one for one in os.environ.get("COUNTERSIGN_OWN", "").split(",") if one]
# By the path each is found at.
FOREIGN = {}
if path := os.environ.get("COUNTERSIGN_FOREIGN"):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            at, one = line.split()
            FOREIGN[at] = one
ALL = list(FOREIGN.values())

# One of its own: hypothesis seeds the common one anew for every case.
DICE = random.Random(1)
# Ids a caller wrote where any text may stand: they are its own words, and may be shown again.
TAKEN = set()
# How often one was tried, and where.
TRIED = collections.Counter()
atexit.register(lambda: print("Foreign ids:", *(f"{n} in {at}" for at, n in sorted(TRIED.items()))))
# Where a path takes any text, and makes what it names.
ANY_TEXT = ("/settings/{key}", "/circuit-breakers/{scope}/{scope_id}")
# What is kept as it was said: what outside systems ask for, and what a schedule would look up.
WORDS = (("/hooks/", ...), ("/decisions/evaluate", ...), ("/schedules", ("targets", None)))


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    """NDJSON: what it thought of, twice, a line each."""
    line = json.dumps(value).encode("utf-8", errors="surrogatepass")
    return line + b"\n" + line


@schemathesis.auth(refresh_interval=None)
class Caller:
    """A person where only people are let in, a key everywhere else."""

    def get(self, case, _context):
        return SESSION if "/api/v1/account" in case.operation.path else KEY

    def set(self, case, data, _context):
        case.headers["Authorization"] = f"Bearer {data}"


with urllib.request.urlopen(f"{URL}/api/v1/openapi.json") as answer:
    DOCUMENT = json.load(answer)


def resolved(schema):
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def is_id(name, schema):
    """What the caller may choose has a greatest length; an id of ours has none."""
    named = name.endswith("_id") or name == "targets"
    return named and "string" in json.dumps(schema.get("type")) and "maxLength" not in schema


def ids_in(schema, way=()):
    """Where ids stand in a body of this schema: tuples of names, None for the items of an array."""
    schema = resolved(schema)
    if len(way) > 4:
        return
    for of in ("oneOf", "anyOf", "allOf"):
        for one in schema.get(of, ()):
            yield from ids_in(one, way)
    for name, one in schema.get("properties", {}).items():
        yield from ids_in(one, (*way, name))
    if isinstance(schema.get("items"), dict):
        yield from ids_in(schema["items"], (*way, None))
    name = next((step for step in reversed(way) if step), "")
    if is_id(name, schema):
        yield way


BODIES, QUERIES = {}, {}
for template, methods in DOCUMENT["paths"].items():
    words = [way for at, way in WORDS if at in template]
    for method, described in methods.items():
        content = described.get("requestBody", {}).get("content", {})
        found = {way for media in content.values() for way in ids_in(media.get("schema", {}))}
        BODIES[method.upper(), template] = sorted((way for way in found if way not in words and ... not in words), key=str)
        QUERIES[method.upper(), template] = [
            (one["name"], resolved(one["schema"]).get("type") == "array")
            for one in described.get("parameters", ())
            if one["in"] == "query" and one["name"].endswith("_id")
        ]


def asked_at(context):
    return context.operation.method.upper(), context.operation.path


def fitting(name):
    """An id of theirs that may stand in a field of this name, or now and then any."""
    name = {"targets": "resource", "from_id": "resource", "to_id": "resource"}.get(name, name)
    stem = name.removesuffix("_id").rsplit("_", 1)[-1].removesuffix("y")
    found = [one for at, one in FOREIGN.items() if stem in at]
    return DICE.choice(found if found and DICE.random() < 0.8 else ALL)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every third id is another tenant's: of the kind that is asked for, or any."""
    if FOREIGN and path_parameters:
        path = context.operation.path.removeprefix("/api/v1")
        for name in path_parameters:
            if DICE.random() < 1 / 3:
                at = path.split("{" + name + "}")[0] + "{" + name + "}"
                kind = FOREIGN.get(at)
                path_parameters[name] = kind if kind and DICE.random() < 0.5 else DICE.choice(ALL)
    return path_parameters


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """However it came by it: what a caller itself needs is not asked for."""
    for name, value in (case.path_parameters or {}).items():
        if any(own in str(value) for own in OWN):
            case.path_parameters[name] = DICE.choice(ALL) if ALL else "nothing"


@schemathesis.hook
def map_query(context, query):
    """Every fourth list is narrowed by an id of another tenant's."""
    names = QUERIES.get(asked_at(context), ())
    if FOREIGN and names and DICE.random() < 1 / 4:
        name, several = DICE.choice(names)
        query = dict(query or {})
        query[name] = [fitting(name)] if several else fitting(name)
    return query


@schemathesis.hook
def map_body(context, body):
    """Every third body with ids has one of another tenant's."""
    ways = BODIES.get(asked_at(context), ())
    if FOREIGN and ways and isinstance(body, dict) and DICE.random() < 1 / 3:
        *outer, last = way if (way := DICE.choice(ways))[-1] else way[:-1]
        at = body
        for step in outer:
            at = at.get(step) if isinstance(at, dict) else None
        if isinstance(at, dict):
            one = fitting(last)
            at[last] = [one] if way[-1] is None else one
    return body


def ids_of(body, way):
    """The values at such a place of a body."""
    if not way:
        return [body]
    if way[0] is None:
        return [one for item in body for one in ids_of(item, way[1:])] if isinstance(body, list) else []
    return ids_of(body[way[0]], way[1:]) if isinstance(body, dict) and way[0] in body else []


def foreign_in(value):
    text = json.dumps(value, default=str, ensure_ascii=False)
    return {one for one in ALL if one in text}


@schemathesis.check
def no_other_tenant(context, response, case):
    """No id of another tenant's leads anywhere, and no answer shows what belongs to one."""
    at = asked_at(case)
    good = response.status_code < 300
    any_text = any(text in at[1] for text in ANY_TEXT)
    in_path = foreign_in(case.path_parameters)
    named = {
        one for way in BODIES.get(at, ()) for one in ids_of(case.body, way) if one in FOREIGN.values()
    }
    foreign = {"paths": in_path, "queries": foreign_in(case.query), "bodies": named}
    TRIED.update(at for at, found in foreign.items() if found)
    if good and in_path and not any_text:
        raise AssertionError(f"{in_path} of another tenant in the path was found: {at}")
    if at[0] == "PUT":
        # What a thing was made with stays, whatever its replacement says.
        named = {one for one in named if one in response.text}
    # An import says of each line whether it was taken; both are the same here.
    by_line = "/import" in at[1] or at[1].endswith("/change-events")
    if good and named and not (by_line and response.json()["refused"] == 2):
        raise AssertionError(f"{named} of another tenant in the body was taken: {at}")
    asked = foreign_in(case.body) if good else foreign_in([case.body, case.path_parameters, case.query])
    if good:
        TAKEN.update(asked - named, in_path)
    for one in ALL:
        if one in response.text and one not in asked and one not in TAKEN:
            raise AssertionError(f"the answer holds {one}, which belongs to another tenant")
