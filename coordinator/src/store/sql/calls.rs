//! How a method of the store runs its statements: on a connection for reading, or in a transaction that writes.

/// Runs `$statements` on a connection that the store lends for reading. An error of the connection, or an answer that
/// does not come in time, costs that connection.
macro_rules! with_reader {
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
pub(in crate::store) use with_reader;

/// Runs `$statements` in a transaction of a writer. The arguments in brackets are shared with the transaction and not
/// moved into it, since it may have to be tried again.
macro_rules! with_writer {
    ($writer:expr, [$($argument:ident),*], |$tx:ident, $now_ms:ident| $statements:expr) => {{
        $(let $argument = std::sync::Arc::new($argument);)*
        $writer.write(move |$tx, $now_ms| {
            $(let $argument = std::sync::Arc::clone(&$argument);)*
            Box::pin(async move { $statements.await })
        })
        .await
    }};
}
pub(super) use with_writer;
