//! The same conversions by the traits of the language, for hosts that write them so. What needs a
//! key or a choice has its named function alone.

use crate::error::SendError;
use crate::request::TriggerRequest;
use crate::session::Outbound;
use crate::wire::alibaba::TriggerChatFlow;
use crate::wire::gptbots::WebhookMessage;
use crate::wire::qyvo::TriggerFlow;
use crate::wire::whatsapp::CloudBody;
use crate::wire::{HttpAnswer, Unsayable};

/// As [`TriggerFlow::from_json`].
impl TryFrom<&[u8]> for TriggerFlow {
    type Error = HttpAnswer;

    fn try_from(body: &[u8]) -> Result<Self, HttpAnswer> {
        Self::from_json(body)
    }
}

/// As [`TriggerFlow::into_request`], without a key.
impl From<TriggerFlow> for TriggerRequest {
    fn from(body: TriggerFlow) -> Self {
        body.into_request(None)
    }
}

/// As [`TriggerFlow::of`].
impl TryFrom<&TriggerRequest> for TriggerFlow {
    type Error = Unsayable;

    fn try_from(request: &TriggerRequest) -> Result<Self, Unsayable> {
        Self::of(request)
    }
}

/// As [`TriggerChatFlow::of`].
impl TryFrom<&TriggerRequest> for TriggerChatFlow {
    type Error = Unsayable;

    fn try_from(request: &TriggerRequest) -> Result<Self, Unsayable> {
        Self::of(request)
    }
}

/// As [`WebhookMessage::of`].
impl From<&Outbound> for WebhookMessage {
    fn from(message: &Outbound) -> Self {
        Self::of(message)
    }
}

/// As [`CloudBody::of`].
impl TryFrom<&Outbound> for CloudBody {
    type Error = SendError;

    fn try_from(message: &Outbound) -> Result<Self, SendError> {
        Self::of(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_becomes_a_request_and_a_request_a_body() {
        let body = br#"{"flow_id": "cart", "phone": "+14155550123", "context": {"name": "Ada"}}"#;
        let read = TriggerFlow::try_from(&body[..]).unwrap();
        let request: TriggerRequest = read.clone().into();
        assert_eq!(TriggerFlow::try_from(&request), Ok(read));
        assert_eq!(TriggerFlow::try_from(&b"{}"[..]).unwrap_err().status, 422);
        assert_eq!(TriggerChatFlow::try_from(&request), Err(Unsayable("phone")));
        let asked = TriggerChatFlow { flow_code: "cart".to_owned(), ..TriggerChatFlow::default() };
        let request = TriggerRequest::try_from(asked.clone()).unwrap();
        assert_eq!(format!("{request:?}"), format!("{:?}", TriggerRequest::new("cart")));
        let late = TriggerChatFlow { discard_time_millis: Some(i64::MAX), ..asked };
        let error = TriggerRequest::try_from(late).unwrap_err();
        assert_eq!(error.to_string(), "`discard_time` must be a time that a date can say");
    }
}
