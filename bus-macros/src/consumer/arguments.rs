use proc_macro2::Span;
use syn::{Error, PatType, Result, Type, TypeReference, visit::Visit};

/// As many as core implements the function form for.
const MOST: usize = 6;

/// What stands after a handler's message.
pub(super) enum Argument {
    /// `&Context`.
    BorrowedContext(TypeReference),
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
        return Err(Error::new_spanned(reference, if is_context(&reference.elem) { first_context } else { owned }));
    }
    if is_context(&message.ty) {
        return Err(Error::new_spanned(
            &message.ty,
            "the message is the first argument: write `message: SubmitOrder, ctx: Context`",
        ));
    }
    if let Some(seventh) = rest.get(MOST) {
        return Err(Error::new_spanned(
            seventh,
            format!("a handler takes up to {MOST} arguments after the message: join some in an extractor of your own"),
        ));
    }
    let rest: Result<Vec<_>> = rest.iter().map(|argument| classify_one(&argument.ty)).collect();
    if let Some(hidden) = arguments.iter().find(|argument| hides_type(&argument.ty)) {
        return Err(Error::new_spanned(&hidden.ty, "a handler is not generic: write a type instead of `impl …`"));
    }
    Ok(((*message.ty).clone(), rest?))
}

fn classify_one(written: &Type) -> Result<Argument> {
    match written {
        Type::Reference(reference) if is_context(&reference.elem) => match reference.mutability {
            None => Ok(Argument::BorrowedContext(reference.clone())),
            Some(_) => Err(Error::new_spanned(reference, "a handler's context is shared: write `&Context`")),
        },
        Type::Reference(reference) => {
            Err(Error::new_spanned(reference, "an extractor gives an owned value: remove the `&`"))
        }
        Type::Group(group) => classify_one(&group.elem),
        extractor => Ok(Argument::Extractor(Box::new(extractor.clone()))),
    }
}

/// Any path that ends in `Context`: the macro sees no imports.
fn is_context(written: &Type) -> bool {
    matches!(written, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Context"))
}

/// Is there an `impl Trait` somewhere in the type?
pub(super) fn hides_type(written: &Type) -> bool {
    struct Hidden(bool);
    impl<'ast> Visit<'ast> for Hidden {
        fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut hidden = Hidden(false);
    hidden.visit_type(written);
    hidden.0
}
