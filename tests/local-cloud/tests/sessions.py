"""Opens sessions at once in threads, as functions that start at once do, in a MiniStack that is put together and not started.

As a program, `sessions.py LOCAL_AWS` says in how many threads they were not opened, and why.
"""

import collections
import concurrent.futures
import os
import runpy
import sys
import time

import ministack.app


def main(local_aws):
    ministack.app.main = lambda: None
    sys.path.insert(0, os.path.dirname(local_aws))
    runpy.run_path(local_aws, run_name="__main__")
    from ministack.services import sts

    session = {"Expiration": time.time() + 3600}
    # As many as the tests of an hour leave behind.
    sts._sessions.update({f"before-{n}": session for n in range(5000)})

    def opened(thread):
        for n in range(100):
            sts.register_session(f"{thread}-{n}", dict(session))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = [pool.submit(opened, thread) for thread in range(8)]
    print(dict(collections.Counter(repr(one.exception()) for one in outcomes if one.exception())))


if __name__ == "__main__":
    main(sys.argv[1])
