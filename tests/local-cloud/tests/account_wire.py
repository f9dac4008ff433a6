"""Calls every Account Management operation that the local cloud knows through botocore, on a
management account and one of its members.

usage: account_wire.py ENDPOINT ACCOUNT MEMBER
"""

import sys

from wire import Checked


def main(endpoint, account, member):
    call = Checked("account", endpoint, account)
    contact = call("GetContactInformation")["ContactInformation"]
    contact["City"] = "Portland"
    call("PutContactInformation", ContactInformation=contact)
    assert call("GetContactInformation")["ContactInformation"] == contact
    bad = contact | {"PhoneNumber": "555"}
    call.refused("PutContactInformation", "ValidationException", "fieldValidationFailed", ContactInformation=bad)
    call.refused("GetContactInformation", "AccessDeniedException", AccountId=account)

    kind = {"AlternateContactType": "SECURITY"}
    call.refused("GetAlternateContact", "ResourceNotFoundException", **kind)
    call.refused("DeleteAlternateContact", "ResourceNotFoundException", **kind)
    alternate = kind | {"EmailAddress": "a@example.com", "Name": "A", "PhoneNumber": "+1 555", "Title": "CISO"}
    call("PutAlternateContact", **alternate)
    assert call("GetAlternateContact", **kind)["AlternateContact"] == alternate
    call("DeleteAlternateContact", **kind)

    pages = list(call.client.get_paginator("list_regions").paginate(MaxResults=10))
    assert [len(page["Regions"]) for page in pages] == [10, 10, 10, 4], pages
    region = {"RegionName": "ap-east-1"}
    assert call("GetRegionOptStatus", **region)["RegionOptStatus"] == "DISABLED"
    call("EnableRegion", **region)
    (enabling,) = call("ListRegions", RegionOptStatusContains=["ENABLING"])["Regions"]
    assert enabling["RegionName"] == region["RegionName"], enabling
    call.refused("DisableRegion", "ConflictException", **region)
    call.refused("EnableRegion", "ValidationException", "invalidRegionOptTarget", RegionName="us-east-1")

    named = {"AccountId": member}
    assert call("GetPrimaryEmail", **named)["PrimaryEmail"] == f"{member}@example.com"
    call.refused("GetPrimaryEmailUpdateStatus", "ResourceNotFoundException", **named)
    new = named | {"PrimaryEmail": f"new+{member}@example.com"}
    assert call("StartPrimaryEmailUpdate", **new)["Status"] == "PENDING"
    status = call("GetPrimaryEmailUpdateStatus", **named)
    assert status["Status"] == "PENDING" and status["UpdatedAt"].year > 2025, status
    call.refused("AcceptPrimaryEmailUpdate", "ValidationException", "fieldValidationFailed", Otp="wrong0", **new)
    call("PutAccountName", AccountName="Shop", **named)
    assert call("GetAccountInformation", **named)["AccountName"] == "Shop"
    call.refused("PutAccountName", "ValidationException", "fieldValidationFailed", AccountName="<Shop>", **named)
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
