use std::{fmt, future::Future, marker::PhantomData};

use super::{Context, Entry, Failure, HandlerResult, IntoConsumer, MessageArg, Registration};
use crate::{
    extract::{Extract, Scope},
    pipeline::Invoke,
};

/// Marks functions in [`IntoConsumer`]: the tuple of their argument types keeps the implementations apart.
pub struct Function<Args>(PhantomData<fn(Args)>);

impl<Args> fmt::Debug for Function<Args> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

struct Call<F, Args> {
    function: F,
    args: PhantomData<fn(Args)>,
}

macro_rules! functions {
    ($($extractor:ident)*) => {
        impl<F, Fut, A, $($extractor,)*> IntoConsumer<Function<(A, $($extractor,)*)>> for F
        where
            F: Fn(A, $($extractor,)*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: HandlerResult> + Send + 'static,
            A: MessageArg,
            $($extractor: Extract,)*
        {
            fn registration(self) -> Registration {
                fn check<$($extractor: Extract,)*>(_scope: &Scope, _problems: &mut Vec<String>) {
                    $(_problems.extend($extractor::check(_scope).err());)*
                }
                let call = Call { function: self, args: PhantomData::<fn((A, $($extractor,)*))> };
                let name = std::any::type_name::<F>().to_owned();
                Registration::function(Entry::new::<A, _>(name, check::<$($extractor,)*>, call))
            }
        }

        impl<F, Fut, A, $($extractor,)*> Invoke for Call<F, (A, $($extractor,)*)>
        where
            F: Fn(A, $($extractor,)*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: HandlerResult> + Send + 'static,
            A: MessageArg,
            $($extractor: Extract,)*
        {
            #[allow(non_snake_case, reason = "a variable per type parameter")]
            async fn invoke(&self, ctx: &Context) -> Result<(), Failure> {
                let message = A::decode(ctx.incoming_arc())?;
                $(let $extractor = $extractor::extract(ctx).await?;)*
                (self.function)(message, $($extractor,)*).await.finish()
            }
        }
    };
}

functions!();
functions!(T1);
functions!(T1 T2);
functions!(T1 T2 T3);
functions!(T1 T2 T3 T4);
functions!(T1 T2 T3 T4 T5);
functions!(T1 T2 T3 T4 T5 T6);
