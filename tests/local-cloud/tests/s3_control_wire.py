"""Blocks public access to an account of the local cloud through botocore.

usage: s3_control_wire.py ENDPOINT ACCOUNT
"""

import socket
import sys
from urllib.parse import urlsplit

from wire import Checked


def resolve_below(host):
    """Lets every name below a host lead to that host: S3 Control puts the account in front of it."""
    resolve = socket.getaddrinfo
    socket.getaddrinfo = lambda name, *rest, **more: resolve(host if name.endswith(host) else name, *rest, **more)


def main(endpoint, account):
    resolve_below(urlsplit(endpoint).hostname)
    call = Checked("s3control", endpoint, account)
    call.refused("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", AccountId=account)
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    settings = dict.fromkeys(names, True) | {"IgnorePublicAcls": False}
    call("PutPublicAccessBlock", AccountId=account, PublicAccessBlockConfiguration=settings)
    read = call("GetPublicAccessBlock", AccountId=account)["PublicAccessBlockConfiguration"]
    assert read == settings, read
    call("DeletePublicAccessBlock", AccountId=account)
    call.refused("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", AccountId=account)
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
