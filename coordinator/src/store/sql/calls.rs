//! How methods of a store read and write.

/// A read, on a connection that is lent for it. An error of the connection, or an answer that does not come in time, costs
/// that connection.
macro_rules! read {
    ($store:ident, |$reader:ident| $statements:expr) => {{
        let mut lent = $store.lend_reader().await?;
        let limit = lent.limit();
        let answer = limit
            .keep(async {
                let $reader = lent.connection();
                $statements.await
            })
            .await;
        lent.give_back(&answer);
        answer
    }};
}
pub(in crate::store) use read;

/// A write transaction. What it needs is shared and not moved into it, since it may have to be tried again.
macro_rules! write {
    ($store:ident, $($rest:tt)*) => { write_by!(&$store.writer, $($rest)*) };
}
pub(super) use write;

/// As [`write!`], by a certain writer.
macro_rules! write_by {
    ($writer:expr, [$($argument:ident),*], |$tx:ident, $now_ms:ident| $statements:expr) => {{
        $(let $argument = std::sync::Arc::new($argument);)*
        $writer.write(move |$tx, $now_ms| {
            $(let $argument = std::sync::Arc::clone(&$argument);)*
            Box::pin(async move { $statements.await })
        })
        .await
    }};
}
pub(super) use write_by;
