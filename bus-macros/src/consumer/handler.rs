use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::{
    Attribute, Error, FnArg, GenericParam, Ident, ImplItemFn, Meta, PatType, Receiver, ReceiverKind, Result,
    ReturnType, Signature, Type, WherePredicate, spanned::Spanned,
};

use super::{
    arguments::{Argument, classify, hides_type},
    bounds::signature_bounds,
};

/// A method marked `#[handle]`.
pub(super) struct Handler {
    name: Ident,
    pub(super) message: Type,
    arguments: Vec<Argument>,
    output: Type,
    /// The method's where-clause: the consumer is one where it holds.
    clause: Vec<WherePredicate>,
    /// The method's `#[cfg]`s; what is generated for it must come and go with it.
    conditions: Vec<Attribute>,
}

/// Takes the markers off a list of attributes. The error is of a marker with arguments.
pub(super) fn take_marker(attrs: &mut Vec<Attribute>) -> Option<Result<Span>> {
    let is_marker = |attr: &Attribute| attr.path().is_ident("handle");
    let marker = attrs.iter().find(|attr| is_marker(attr))?;
    let marker = match &marker.meta {
        Meta::Path(path) => Ok(path.span()),
        _ => Err(Error::new_spanned(&marker.meta, "`#[handle]` takes no arguments: write `#[handle]`")),
    };
    attrs.retain(|attr| !is_marker(attr));
    Some(marker)
}

impl Handler {
    pub(super) fn read(method: &ImplItemFn) -> Result<Self> {
        let signature = &method.sig;
        let name = &signature.ident;
        if signature.asyncness.is_none() {
            return Err(Error::new(
                signature.fn_token.span(),
                format!("a handler is asynchronous: write `async fn {name}`"),
            ));
        }
        not_generic(signature)?;
        match signature.receiver() {
            Some(receiver) if is_shared(receiver) => {}
            Some(receiver) => {
                return Err(Error::new_spanned(receiver, "a handler shares its consumer with others: write `&self`"));
            }
            None => {
                return Err(Error::new(
                    signature.paren_token.span.open(),
                    format!("a handler is a method of its consumer: write `async fn {name}(&self, …)`"),
                ));
            }
        }
        let (message, arguments) = classify(&typed(signature), signature.paren_token.span.close())?;
        Ok(Self {
            name: name.clone(),
            message,
            arguments,
            output: output(signature, "a handler")?,
            clause: signature.generics.where_clause.iter().flat_map(|clause| clause.predicates.clone()).collect(),
            conditions: method.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect(),
        })
    }

    /// What must hold of the types in the method's signature.
    pub(super) fn bounds(&self, root: &TokenStream) -> Vec<WherePredicate> {
        let mut bounds = signature_bounds(&self.message, self.extractors(), &self.output, root);
        bounds.extend(self.clause.iter().cloned());
        bounds
    }

    /// The body of the impl of `Consumer` for this handler's message.
    pub(super) fn functions(&self, root: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let (message, method, output) = (&self.message, &self.name, &self.output);
        let names: Vec<_> = (1..=self.arguments.len()).map(|at| format_ident!("argument_{at}", span = span)).collect();
        let made = self.arguments.iter().zip(&names).map(|(argument, name)| match argument {
            Argument::BorrowedContext(_) => quote_spanned!(span=> let #name = ctx;),
            Argument::Extractor(extractor) => quote_spanned! {span=>
                let #name = <#extractor as #root::extract::Extract>::extract(ctx).await?;
            },
        });
        let checks: Vec<_> = self.extractors().map(|extractor| quote_spanned! {span=>
            if let ::core::result::Result::Err(problem) = <#extractor as #root::extract::Extract>::check(scope) {
                problems.push(problem);
            }
        }).collect();
        let check = (!checks.is_empty()).then(|| {
            quote_spanned! {span=>
                fn check(scope: &#root::extract::Scope, problems: &mut ::std::vec::Vec<::std::string::String>) {
                    #(#checks)*
                }
            }
        });
        // A future that is not `Send` is shown at the method.
        let at_method = span.located_at(method.span());
        let future = quote_spanned! {at_method=>
            impl ::core::future::Future<Output = ::core::result::Result<(), #root::consumer::Failure>>
                + ::core::marker::Send
        };
        let body = quote_spanned! {at_method=>
            async move {
                #(#made)*
                <#output as #root::consumer::HandlerResult>::finish(Self::#method(self, message, #(#names),*).await)
            }
        };
        quote_spanned! {span=>
            fn consume(&self, message: #message, ctx: &#root::consumer::Context) -> #future {
                #body
            }
            #check
        }
    }

    /// The statement that lists this handler. What it needs of a parameter is demanded of the block; anything else is
    /// refused at its signature, and here not once more.
    pub(super) fn listing(&self, root: &TokenStream, list: &Ident, is_generic: bool) -> TokenStream {
        let (conditions, message, name) = (&self.conditions, &self.message, self.name.to_string());
        let span = Span::mixed_site();
        let listed = match is_generic {
            true => quote_spanned!(span=> #root::consumer::HandlerList::<Self>::add::<#message>(#list, #name)),
            false => quote_spanned!(span=> #root::consumer::Listing::<Self, #message>::of(#list).list_handler(#name)),
        };
        quote_spanned!(span=> #(#conditions)* #listed;)
    }

    pub(super) fn conditions(&self) -> &[Attribute] {
        &self.conditions
    }

    fn extractors(&self) -> impl Iterator<Item = &Type> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Extractor(extractor) => Some(&**extractor),
            Argument::BorrowedContext(_) => None,
        })
    }
}

/// `&self`, also spelled out.
fn is_shared(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        ReceiverKind::Typed(_, ty) => matches!(&**ty, Type::Reference(reference) if reference.mutability.is_none()),
        _ => false,
    }
}

/// The arguments without `self`.
pub(super) fn typed(signature: &Signature) -> Vec<&PatType> {
    let typed = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed.collect()
}

/// The type that is returned.
pub(super) fn output(signature: &Signature, who: &str) -> Result<Type> {
    match &signature.output {
        ReturnType::Type(_, output) if hides_type(output) => {
            Err(Error::new_spanned(output, format!("{who} returns a type with a name: write `-> Result<(), Failure>`")))
        }
        ReturnType::Type(_, output) => Ok((**output).clone()),
        ReturnType::Default => Err(Error::new(
            signature.paren_token.span.close(),
            format!("{who} returns `Result<(), Failure>`: write `-> Result<(), Failure>`"),
        )),
    }
}

fn not_generic(signature: &Signature) -> Result<()> {
    let remedy = match signature.generics.params.first() {
        None => return Ok(()),
        Some(GenericParam::Lifetime(_)) => "remove the lifetimes",
        Some(_) => "move its parameters to the `impl`",
    };
    Err(Error::new_spanned(&signature.generics, format!("a handler is not generic: {remedy}")))
}
