/// How a topic chooses among its bindings: the exchange types of AMQP 0-9-1 (section 3.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TopicKind {
    /// All of them. MassTransit's way unless told otherwise.
    #[default]
    Fanout,
    /// Those whose key equals the message's.
    Direct,
    /// Those whose pattern matches the message's key: `*` is one word, `#` any number, `.` between them.
    Topic,
}

impl TopicKind {
    /// `fanout`, `direct`, `topic`: the value of `type` in an address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::Direct => "direct",
            Self::Topic => "topic",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Fanout, Self::Direct, Self::Topic].into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}
