//! Amazon S3: objects with all their versions.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{Answer, Refusal};
use crate::{call::Call, cloud::State};

/// A version of an object.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) content: Vec<u8>,
    /// Whether it stands for a deletion, and holds nothing.
    is_marker: bool,
}

impl Version {
    /// Of the same content always the same, and of another content another.
    pub(crate) fn etag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.content.hash(&mut hasher);
        format!("\"{:032x}\"", hasher.finish())
    }
}

/// The versions of each object, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Bucket(pub(crate) BTreeMap<String, Vec<Version>>);

impl Bucket {
    pub(crate) fn latest(&self, key: &str) -> Option<&Version> {
        self.0.get(key)?.last().filter(|version| !version.is_marker)
    }

    pub(crate) fn put(&mut self, key: &str, content: Vec<u8>) -> String {
        self.push(key, content, false)
    }

    /// Puts a delete marker over an object; its versions stay (Amazon S3 user guide, "Working with delete markers").
    pub(crate) fn delete(&mut self, key: &str) -> String {
        self.push(key, Vec::new(), true)
    }

    fn push(&mut self, key: &str, content: Vec<u8>, is_marker: bool) -> String {
        let number = self.0.values().map(Vec::len).sum::<usize>() + 1;
        let id = format!("version-{number}");
        self.0.entry(key.to_owned()).or_default().push(Version { id: id.clone(), content, is_marker });
        id
    }
}

/// The bucket and the key of a call, which stand in the host and the path.
pub(crate) fn place(call: &Call) -> (String, String) {
    let path = percent_encoding::percent_decode_str(call.path.trim_start_matches('/')).decode_utf8_lossy().into_owned();
    match call.host.split_once(".s3.") {
        Some((bucket, _)) => (bucket.to_owned(), path),
        None => match path.split_once('/') {
            Some((bucket, key)) => (bucket.to_owned(), key.to_owned()),
            None => (path, String::new()),
        },
    }
}

pub(super) fn serve(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let (bucket, key) = place(call);
    let bucket = state.buckets.entry(bucket).or_default();
    if call.operation == "PutObject" {
        if call.if_none_match.is_some() && bucket.latest(&key).is_some() {
            return Err(Refusal::new(412, "PreconditionFailed", "At least one of the pre-conditions did not hold"));
        }
        let id = bucket.put(&key, call.body.clone());
        let etag = bucket.latest(&key).map(Version::etag).unwrap_or_default();
        let headers = vec![("etag", etag), ("x-amz-version-id", id)];
        return Ok(Answer { headers, ..Answer::xml(String::new()) });
    }
    if call.operation == "DeleteObject" {
        let headers = vec![("x-amz-delete-marker", "true".to_owned()), ("x-amz-version-id", bucket.delete(&key))];
        return Ok(Answer { status: 204, headers, ..Answer::xml(String::new()) });
    }
    let wanted = form_urlencoded::parse(call.query.as_bytes()).find(|(name, _)| name == "versionId");
    let missing = match wanted {
        Some(_) => || Refusal::new(404, "NoSuchVersion", "The specified version does not exist."),
        None => || Refusal::new(404, "NoSuchKey", "The specified key does not exist."),
    };
    let version = match wanted {
        Some((_, id)) => bucket.0.get(&key).and_then(|versions| versions.iter().find(|version| version.id == id)),
        None => bucket.latest(&key),
    };
    let version = version.ok_or_else(missing)?.clone();
    if version.is_marker {
        return Err(Refusal::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        ));
    }
    let headers = vec![("etag", version.etag()), ("x-amz-version-id", version.id.clone())];
    if call.if_none_match.as_deref() == Some(&version.etag()) {
        return Ok(Answer { status: 304, headers, ..Answer::xml(String::new()) });
    }
    Ok(Answer { status: 200, content_type: "application/octet-stream", headers, body: version.content })
}
