//! Operation names of REST services, which say what they want by method and path.

use http::Method;

/// Where S3 Control keeps the settings of an account against public access.
pub(crate) const PUBLIC_ACCESS_BLOCK: &str = "/v20180820/configuration/publicAccessBlock";

/// The operation a REST request asks for; `METHOD /path` where no name is known.
pub(crate) fn operation(service: &str, method: &Method, path: &str, query: &str) -> String {
    let named = match service {
        "access-analyzer" => (path == "/policy/validation").then(|| "ValidatePolicy".to_owned()),
        "lambda" => lambda(method, path),
        "s3" => s3(method, path, query),
        "scheduler" => scheduler(method, path),
        "uxc" => uxc(method, path),
        // Every operation of Account Management is its own path, in lower camel case.
        "account" => path.strip_prefix('/').filter(|name| !name.is_empty()).map(upper_first),
        _ => None,
    };
    named.unwrap_or_else(|| format!("{method} {path}"))
}

fn lambda(method: &Method, path: &str) -> Option<String> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    let name = match (method.as_str(), segments.as_slice()) {
        ("GET", ["account-settings"]) => "GetAccountSettings",
        ("GET", ["functions"]) => "ListFunctions",
        ("POST", ["functions"]) => "CreateFunction",
        ("GET", ["functions", _]) => "GetFunction",
        ("DELETE", ["functions", _]) => "DeleteFunction",
        ("POST", ["functions", _, "invocations"]) => "Invoke",
        ("GET", ["functions", _, "configuration"]) => "GetFunctionConfiguration",
        ("PUT", ["functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        ("PUT", ["functions", _, "code"]) => "UpdateFunctionCode",
        ("GET", ["event-source-mappings"]) => "ListEventSourceMappings",
        ("PUT", ["event-source-mappings", _]) => "UpdateEventSourceMapping",
        _ => return None,
    };
    Some(name.to_owned())
}

fn s3(method: &Method, path: &str, query: &str) -> Option<String> {
    if path == PUBLIC_ACCESS_BLOCK {
        let verb = match method.as_str() {
            "GET" => "Get",
            "PUT" => "Put",
            "DELETE" => "Delete",
            _ => return None,
        };
        return Some(format!("{verb}PublicAccessBlock"));
    }
    let path = path.trim_start_matches('/');
    let has_key = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let parameters: Vec<&str> = query.split('&').map(|pair| pair.split('=').next().unwrap_or(pair)).collect();
    let asks = |name: &str| parameters.contains(&name);
    let name = match (method.as_str(), has_key) {
        ("GET", _) if path.is_empty() => "ListBuckets",
        ("GET", false) if asks("policy") => "GetBucketPolicy",
        ("PUT", false) if asks("policy") => "PutBucketPolicy",
        ("DELETE", false) if asks("policy") => "DeleteBucketPolicy",
        ("GET", false) if asks("location") => "GetBucketLocation",
        ("GET", false) => "ListObjectsV2",
        ("HEAD", false) => "HeadBucket",
        ("PUT", false) => "CreateBucket",
        ("DELETE", false) => "DeleteBucket",
        // Of an older version, it needs an action of its own.
        ("GET", true) if asks("versionId") => "GetObjectVersion",
        ("GET", true) => "GetObject",
        ("HEAD", true) => "HeadObject",
        ("PUT", true) if asks("partNumber") => "UploadPart",
        ("PUT", true) => "PutObject",
        ("DELETE", true) => "DeleteObject",
        ("POST", true) if asks("uploads") => "CreateMultipartUpload",
        ("POST", true) if asks("uploadId") => "CompleteMultipartUpload",
        _ => return None,
    };
    Some(name.to_owned())
}

fn scheduler(method: &Method, path: &str) -> Option<String> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let name = match (method.as_str(), segments.as_slice()) {
        ("GET", ["schedules"]) => "ListSchedules",
        ("POST", ["schedules", _]) => "CreateSchedule",
        ("GET", ["schedules", _]) => "GetSchedule",
        ("PUT", ["schedules", _]) => "UpdateSchedule",
        ("DELETE", ["schedules", _]) => "DeleteSchedule",
        _ => return None,
    };
    Some(name.to_owned())
}

fn uxc(method: &Method, path: &str) -> Option<String> {
    let name = match (method.as_str(), path) {
        ("GET", "/v1/account-customizations") => "GetAccountCustomizations",
        ("PATCH", "/v1/account-customizations") => "UpdateAccountCustomizations",
        ("GET", "/v1/services") => "ListServices",
        _ => return None,
    };
    Some(name.to_owned())
}

fn upper_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_requests_are_named_after_their_operation() {
        let name = |service, method: Method, path, query| operation(service, &method, path, query);
        assert_eq!(name("lambda", Method::POST, "/2015-03-31/functions/f/invocations", ""), "Invoke");
        assert_eq!(name("lambda", Method::GET, "/2016-08-19/account-settings", ""), "GetAccountSettings");
        assert_eq!(name("s3", Method::PUT, "/bucket/a/key", ""), "PutObject");
        assert_eq!(name("s3", Method::GET, "/bucket", "list-type=2"), "ListObjectsV2");
        assert_eq!(name("s3", Method::DELETE, "/bucket", "policy"), "DeleteBucketPolicy");
        assert_eq!(name("s3", Method::PUT, PUBLIC_ACCESS_BLOCK, ""), "PutPublicAccessBlock");
        assert_eq!(name("account", Method::POST, "/putAlternateContact", ""), "PutAlternateContact");
        assert_eq!(name("uxc", Method::PATCH, "/v1/account-customizations", ""), "UpdateAccountCustomizations");
        assert_eq!(name("backup", Method::GET, "/plans", ""), "GET /plans");
    }
}
