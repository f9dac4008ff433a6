//! What people ask for who rearrange the organization or take the document away.

use serde_json::{Value, json};

use super::super::row::Row;

/// No function calls these, so the local cloud has not got them; botocore reads what is simulated by their models.
const UNKNOWN: &str = "the local cloud does not know the operation, which people call and no function does";

/// All of them; what they change is put back as it was, or was for nobody else.
pub(super) fn rows() -> Vec<Row> {
    let ask = |says, operation, parameters: Value| Row::new(says, "organizations", operation, parameters);
    let rename = |says, unit: &str, name: &str| {
        ask(says, "UpdateOrganizationalUnit", json!({"OrganizationalUnitId": unit, "Name": name}))
    };
    let delete = |says, unit: &str| {
        ask(says, "DeleteOrganizationalUnit", json!({"OrganizationalUnitId": unit})).differs("code", UNKNOWN)
    };
    let remove = |says, account: &str| {
        ask(says, "RemoveAccountFromOrganization", json!({"AccountId": account})).differs("code", UNKNOWN)
    };
    let object = |says, operation| Row::new(says, "s3", operation, json!({"Bucket": "$bucket", "Key": "taken/away"}));
    let mut put = object("an object is put that is to be taken away", "PutObject");
    put.parameters["Body"] = "x".into();
    let mut version = object("the version below the marker is read", "GetObject");
    version.parameters["VersionId"] = "$covered version".into();
    let mut marker = object("the marker itself is not read", "GetObject");
    marker.parameters["VersionId"] = "$marker".into();
    let gone = "ou-gone-00000000";
    vec![
        rename("a unit is given another name", "$unit", "Renamed"),
        ask("it is described by it", "DescribeOrganizationalUnit", json!({"OrganizationalUnitId": "$unit"})),
        rename("a unit is given the name that it has", "$unit", "Renamed"),
        rename("it is given its first name again", "$unit", "Workloads"),
        rename("a unit that is not there is given no name", gone, "Other")
            .refused("OrganizationalUnitNotFoundException"),
        ask("there is nothing below what is not there", "ListOrganizationalUnitsForParent", json!({"ParentId": gone}))
            .refused("ParentNotFoundException"),
        delete("a unit that is not there is not deleted", gone).refused("OrganizationalUnitNotFoundException"),
        remove("an account that is not there is not removed", "999999999999").refused("AccountNotFoundException"),
        remove("the management account is not removed", "$account").refused("MasterCannotLeaveOrganizationException"),
        put.keeps("covered version", "/members/VersionId"),
        object("an object is deleted, and its versions stay", "DeleteObject").keeps("marker", "/members/VersionId"),
        object("what is deleted is not read", "GetObject").refused("NoSuchKey"),
        version,
        marker.refused("MethodNotAllowed"),
    ]
}
