//! Amazon S3 Control: the block of public access to all buckets of an account.

use crate::{
    aws::{Answer, Refusal, settings},
    call::Call,
    cloud::{Principal, State},
    script::Control,
};

const SETTINGS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    settings::of(state, &who.account);
    let settings = state.settings.get_mut(&who.account).expect("it is there");
    Some(match call.operation.as_str() {
        "GetPublicAccessBlock" => match settings.public_access.seen(&mut state.draws) {
            Some(blocked) => {
                let fields = SETTINGS.iter().zip(blocked).map(|(name, on)| format!("<{name}>{on}</{name}>"));
                let fields = fields.collect::<String>();
                let namespace = "http://awss3control.amazonaws.com/doc/2018-08-20/";
                let element = "PublicAccessBlockConfiguration";
                Ok(Answer::xml(format!("<{element} xmlns=\"{namespace}\">{fields}</{element}>")))
            }
            None => Err(Refusal::new(
                404,
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
            )),
        },
        "PutPublicAccessBlock" => {
            let body = String::from_utf8_lossy(&call.body);
            let blocked = SETTINGS.map(|name| body.contains(&format!("<{name}>true</{name}>")));
            settings.public_access.set(Some(blocked), &mut state.draws);
            settings::changed(state, &who.account, Control::S3PublicAccessBlock, Some(&who.function));
            Ok(Answer::xml(String::new()))
        }
        _ => return None,
    })
}
