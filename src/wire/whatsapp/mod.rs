//! WhatsApp, by the Cloud API: its webhooks in, messages out.
//!
//! In: [`WebhookReader::read`] makes [`WhatsAppEvent`]s of a body whose signature the host has
//! checked. Out: a transport posts [`CloudBody::of`] each message, and reads the answer by
//! [`acknowledged`].
//!
//! | in the webhook | for the engine |
//! |---|---|
//! | `text`; `button`, `interactive` (buttons, lists) | a text; a choice |
//! | `interactive` with `nfm_reply` | a form, its `flow_token` apart |
//! | `image`, `audio`, `video`, `document`, `sticker` | a medium: `reply.media` has `type`, `id`, `mime`, `sha256`, and `url`, `filename`, `voice`, `animated` where they are given |
//! | `location`, `contacts`, `order`, `reaction` | the same, in the words of the product |
//! | `unsupported`, `request_welcome`, any other kind | another message, with `reply.body` as it came |
//! | `referral`, `context`, the person's `username` | `reply.meta` and `trigger.meta` under these names |
//! | the person's name; number and business-scoped ids | the profile; addresses of one contact |
//! | `statuses` | a report, where the message is one of this crate: its id is in `biz_opaque_callback_data` |
//! | `system` with another number or id, `user_id_update` | an address that changed |
//! | everything else, and what is wrong in itself | unknown, as it came |
//!
//! A webhook that is not answered with 200 comes again. A message that the engine refuses with
//! [`InvalidInput`](crate::Error::InvalidInput) is refused the next time, too: a host that would
//! not see it again notes it and answers 200.

mod answer;
mod body;
mod compose;
mod events;
mod inbound;
mod message;
mod relink;
mod webhook;

pub use answer::{CloudAccepted, CloudAnswer, CloudFailure, CloudRecipient, acknowledged};
pub use body::CloudBody;
pub use events::{AccountEvent, InvalidWebhook, WebhookReader, WhatsAppEvent};
pub use webhook::{CloudConversation, CloudError, CloudPricing, CloudStatus, CloudWebhook};
