//! The list of sessions: searched, sorted, page by page.

use super::*;

async fn list(store: &SqliteSpans, query: SessionQuery) -> Vec<String> {
    let mut names = Vec::new();
    let mut query = SessionQuery { limit: 2, ..query };
    for _ in 0..20 {
        let page = store.sessions(query.clone()).await.unwrap();
        assert!(page.items.len() <= 2);
        names.extend(page.items.into_iter().map(|session| session.session_id));
        let Some(next) = page.next else { return names };
        query.after = Some(next);
    }
    panic!("the pages do not end: {names:?}");
}

#[tokio::test]
async fn sessions_are_searched_and_sorted_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::new();
    let store = open(dir.path(), &clock);
    // Session, user, cost, whether it fails; two weeks, and "order-7" in both of them.
    let traces = [
        ("order-7", "ada", 5, false),
        ("Order-8", "ada", 90, true),
        ("chat", "bob", 40, false),
        ("order-7", "ada", 10, false),
        ("mail", "ORDERS@example.com", 1, false),
    ];
    for (at, (session, user, cost, fails)) in traces.into_iter().enumerate() {
        if at == 3 {
            clock.pass(WEEK);
        }
        let mut spans = small(at as u128 + 1);
        spans[0].session_id = Some(session.to_owned());
        spans[0].user_id = Some(user.to_owned());
        spans[3].cost_nanousd = Some(cost);
        if fails {
            spans[3].status = SpanStatus::Error;
        }
        write(&store, spans).await;
    }
    let base = SessionQuery::default;
    let by = |key, direction| SessionQuery { sort: SessionSort::By(key, direction), ..base() };
    use Direction::{Ascending, Descending};
    assert_eq!(list(&store, base()).await, ["mail", "order-7", "chat", "Order-8"]);
    assert_eq!(list(&store, by(SessionKey::Cost, Descending)).await, ["Order-8", "chat", "order-7", "mail"]);
    assert_eq!(list(&store, by(SessionKey::Cost, Ascending)).await, ["mail", "order-7", "chat", "Order-8"]);
    assert_eq!(list(&store, by(SessionKey::Traces, Descending)).await[0], "order-7");
    // Equal ones in the order of their names, also over the border of a page.
    assert_eq!(list(&store, by(SessionKey::Tokens, Ascending)).await, ["Order-8", "chat", "mail", "order-7"]);
    assert_eq!(list(&store, by(SessionKey::StartedAt, Ascending)).await, ["order-7", "Order-8", "chat", "mail"]);
    let text = |text: &str| SessionQuery { text: Some(text.to_owned()), ..base() };
    assert_eq!(list(&store, text("ORDER")).await, ["mail", "order-7", "Order-8"], "a user's name too");
    assert_eq!(list(&store, text("order%")).await, [""; 0], "no pattern");
    assert_eq!(list(&store, SessionQuery { failed: Some(true), ..base() }).await, ["Order-8"]);
    assert_eq!(list(&store, SessionQuery { failed: Some(false), ..text("order-") }).await, ["order-7"]);
    assert_eq!(list(&store, SessionQuery { user: Some("ada".to_owned()), ..base() }).await, ["order-7", "Order-8"]);
    // A session is of everybody who has a trace of it; it shows the latest.
    let mut spans = small(9);
    (spans[0].session_id, spans[0].user_id) = (Some("chat".to_owned()), Some("eve".to_owned()));
    write(&store, spans).await;
    let of = |user: &str, query: SessionQuery| SessionQuery { user: Some(user.to_owned()), ..query };
    for user in ["bob", "eve"] {
        assert_eq!(list(&store, of(user, base())).await, ["chat"], "{user}");
        assert_eq!(list(&store, of(user, by(SessionKey::Cost, Ascending))).await, ["chat"], "{user}");
    }
    assert_eq!(list(&store, of("nobody", base())).await, [""; 0]);
    let wrong = SessionQuery { after: Some(Cursor("x.2".to_owned())), limit: 2, ..by(SessionKey::Cost, Ascending) };
    assert!(matches!(store.sessions(wrong).await, Err(SpanStoreError::InvalidCursor)));
}
