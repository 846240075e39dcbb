use proc_macro2::Span;
use syn::{Error, PatType, Result, Type, spanned::Spanned, visit::Visit};

/// As many as core implements the function form for.
const MOST: usize = 6;

/// What stands after a handler's message.
pub(super) enum Argument {
    /// `&Context`.
    BorrowedContext(Span),
    /// Anything else: made by its `Extract`.
    Extractor(Box<Type>),
}

/// The message's type, and the arguments after it.
pub(super) fn classify(arguments: &[&PatType], end: Span) -> Result<(Type, Vec<Argument>)> {
    let Some((message, rest)) = arguments.split_first() else {
        return Err(Error::new(
            end,
            "a handler takes a message: write it as the first argument, `message: SubmitOrder`",
        ));
    };
    if let Type::Reference(reference) = &*message.ty {
        let owned = "a handler owns its message: remove the `&`";
        let first_context = "the message is the first argument: write `message: SubmitOrder, ctx: &Context`";
        return Err(Error::new(reference.span(), if is_context(&reference.elem) { first_context } else { owned }));
    }
    if let Some(seventh) = rest.get(MOST) {
        return Err(Error::new(
            seventh.span(),
            format!("a handler takes up to {MOST} arguments after the message: join some in an extractor of your own"),
        ));
    }
    let rest: Result<Vec<_>> = rest.iter().map(|argument| classify_one(&argument.ty)).collect();
    for argument in arguments {
        if let Some(hidden) = hidden_parameter(&argument.ty) {
            return Err(Error::new(hidden, "a handler is not generic: write the type instead of `impl …`"));
        }
    }
    Ok(((*message.ty).clone(), rest?))
}

fn classify_one(written: &Type) -> Result<Argument> {
    match written {
        Type::Reference(reference) if is_context(&reference.elem) => match reference.mutability {
            None => Ok(Argument::BorrowedContext(reference.span())),
            Some(_) => Err(Error::new(reference.span(), "a handler's context is shared: write `&Context`")),
        },
        Type::Reference(reference) => {
            Err(Error::new(reference.span(), "an extractor gives an owned value: remove the `&`"))
        }
        Type::Group(group) => classify_one(&group.elem),
        extractor => Ok(Argument::Extractor(Box::new(extractor.clone()))),
    }
}

/// Any path that ends in `Context`: the macro sees no imports.
fn is_context(written: &Type) -> bool {
    matches!(written, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Context"))
}

/// `impl Trait`, somewhere in a type.
pub(super) fn hidden_parameter(written: &Type) -> Option<Span> {
    struct Find(Option<Span>);
    impl<'ast> Visit<'ast> for Find {
        fn visit_type_impl_trait(&mut self, found: &'ast syn::TypeImplTrait) {
            self.0 = self.0.or(Some(found.span()));
        }
    }
    let mut find = Find(None);
    find.visit_type(written);
    find.0
}
