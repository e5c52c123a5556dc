"""How schemathesis writes NDJSON: what it thought of, twice, a line each."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    line = json.dumps(value).encode("utf-8", errors="surrogatepass")
    return line + b"\n" + line
