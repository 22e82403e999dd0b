use chrono::{DateTime, Utc};

/// How an attempt to send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The platform took it; its own number, if it gave one.
    Taken(Option<String>),
    /// Not taken, and may be tried again then.
    Later { at: DateTime<Utc>, reason: String },
    /// Not tried: it is not this message's turn until then.
    Waits { until: DateTime<Utc>, reason: String },
    /// Not taken: the person does not accept it.
    NoConsent(String),
    /// Not taken, and never will be; staff see why.
    Final(String),
    /// Not taken, and nothing goes into this group any more until its robot is set up anew.
    Dead(String),
    /// Not tried: its template is used no more until an operator lets it.
    Stopped(String),
    /// It left, no answer came back, and the platform drops it if it had it already: it goes out again then.
    Repeatable { at: DateTime<Utc>, reason: String },
    /// It left, and no answer came back.
    Unknown(String),
}

impl Outcome {
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Taken(_))
    }

    /// Why it was not taken, or why that is not known.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Taken(_) => None,
            Self::Later { reason, .. }
            | Self::Waits { reason, .. }
            | Self::Repeatable { reason, .. }
            | Self::NoConsent(reason)
            | Self::Final(reason)
            | Self::Dead(reason)
            | Self::Stopped(reason)
            | Self::Unknown(reason) => Some(reason),
        }
    }
}
