/// In the extensions of an outgoing message: it arrived here before, and is put into another queue, or back into its
/// own. What its broker noted in the headers about the queue that it was in stays behind, and so does what the broker
/// would act on again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved;
