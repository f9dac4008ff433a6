"""Colors the console of an account of the local cloud through botocore.

usage: uxc_wire.py ENDPOINT ACCOUNT
"""

import sys

from wire import Checked


def main(endpoint, account):
    call = Checked("uxc", endpoint, account)
    color = lambda: call("GetAccountCustomizations")["accountColor"]
    assert color() == "none"
    call("UpdateAccountCustomizations", accountColor="red")
    # What is not sent stays.
    call("UpdateAccountCustomizations", visibleRegions=["eu-central-1"])
    assert color() == "red"
    call.refused("UpdateAccountCustomizations", "ValidationException", accountColor="black")
    call("UpdateAccountCustomizations", accountColor="none")
    assert color() == "none"
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
