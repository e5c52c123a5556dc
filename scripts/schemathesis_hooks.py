"""What schemathesis needs to know about this API, and the check of its own.

COUNTERSIGN_FOREIGN names a file of another tenant's ids, one a line. They are tried wherever an id
stands in a path, and no answer may hold one that was not in the question.
COUNTERSIGN_OWN names ids, with commas between, that are asked for nowhere: those of the caller, who
could revoke its own key and would then see nothing but refusals.
"""

import json
import os
import random

import schemathesis

FOREIGN = []
if path := os.environ.get("COUNTERSIGN_FOREIGN"):
    with open(path, encoding="utf-8") as lines:
        FOREIGN = [line.strip() for line in lines if line.strip()]


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    """NDJSON: what it thought of, twice, a line each."""
    line = json.dumps(value).encode("utf-8", errors="surrogatepass")
    return line + b"\n" + line


OWN = [one for one in os.environ.get("COUNTERSIGN_OWN", "").split(",") if one]


# One of its own: hypothesis seeds the common one anew for every case.
DICE = random.Random(1)
# Ids that were taken as a text of the caller's own, a name for instance, and may be shown again.
TAKEN = set()


@schemathesis.hook
def map_path_parameters(_context, path_parameters):
    """Every third id is another tenant's."""
    if FOREIGN and path_parameters:
        for name in path_parameters:
            if DICE.random() < 1 / 3:
                path_parameters[name] = DICE.choice(FOREIGN)
    return path_parameters


@schemathesis.hook
def filter_path_parameters(_context, path_parameters):
    return not any(value in OWN for value in (path_parameters or {}).values())


@schemathesis.check
def no_other_tenant(_context, response, case):
    """No answer shows what belongs to another tenant."""
    asked = json.dumps(
        [case.path_parameters, case.query, case.body], default=str, ensure_ascii=False
    )
    if response.status_code < 300:
        TAKEN.update(one for one in FOREIGN if one in asked)
    for one in FOREIGN:
        if one in response.text and one not in asked and one not in TAKEN:
            raise AssertionError(f"the answer holds {one}, which belongs to another tenant")
