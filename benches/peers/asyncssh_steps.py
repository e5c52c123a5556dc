"""Three steps on every host, one after another on each, all hosts at once, with asyncssh.

usage: asyncssh_steps.py SPEC. Prints wall and CPU seconds without the start of Python.
"""

import asyncio
import json
import sys
import time

import asyncssh


async def host(spec, known_hosts, steps):
    async with asyncssh.connect(
        spec["host"],
        port=spec["port"],
        username=spec["username"],
        client_keys=[spec["key_file"]],
        known_hosts=known_hosts,
        agent_path=None,
        config=None,
    ) as connection:
        for step in steps:
            await connection.run(step, check=True)


async def main(spec):
    work = [host(one, spec["known_hosts"], spec["steps"]) for one in spec["hosts"]]
    await asyncio.gather(*work)


with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
wall, cpu = time.perf_counter(), time.process_time()
asyncio.run(main(given))
print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))
