//! What people are asked and what they say.

use super::*;

/// Something is prepared, asked about, and then done or not.
fn asking(config: Value) -> Value {
    let mut with =
        json!({"message": "Pay {{node.prepare.output.amount}}?", "payload": {"amount": "{{node.prepare.output.amount}}"}});
    with.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    document(
        json!([
            echo("prepare", json!({"amount": 5})),
            {"id": "ask", "type": "approval", "config": with},
            echo("pay", json!({"answer": "{{node.ask.output}}"})),
            echo("leave", json!({"answer": "{{node.ask.output}}"}))
        ]),
        &[("prepare ask", ""), ("ask pay", "branch == 'approved'"), ("ask leave", "branch == 'rejected'")],
    )
}

#[tokio::test]
async fn a_decision_counts_once_and_says_whose_it_was() {
    let server = simulated(fresh());
    let api = server.api();
    for (body, decision, payload, way) in [
        (json!({"decision": "approve"}), "approved", json!({"amount": 5}), "pay"),
        (json!({"decision": "approve", "payload": {"amount": 3}}), "approved", json!({"amount": 3}), "pay"),
        (json!({"decision": "reject", "reason": "too dear"}), "rejected", json!({"amount": 5}), "leave"),
    ] {
        let id = start(&api, &asking(json!({}))).await;
        let question = asked(&api, &id).await;
        assert_eq!((&question["message"], &question["payload"]), (&json!("Pay 5?"), &json!({"amount": 5})), "{question:#}");
        assert_eq!((&question["step_id"], &question["interrupted"]), (&json!("ask"), &json!(false)), "{question:#}");
        let decided = decide(&api, &question, body.clone()).await.expect(200);
        assert_eq!((&decided["decision"], &decided["decided_by"]), (&json!(decision), &json!("api")), "{decided:#}");
        let again = decide(&api, &question, body.clone()).await.problem(409, "already_decided");
        let at = decided["decided_at"].as_str().unwrap();
        assert!(again.contains(decision) && again.contains("by api") && again.contains(at), "{again} does not name {at}");
        let ended_run = ended(&api, &id).await;
        let answer = &ended_run["output"]["answer"];
        assert_eq!((&answer["decision"], &answer["payload"]), (&json!(decision), &payload), "{ended_run:#}");
        assert_eq!((&answer["by"], &answer["reason"]), (&json!("api"), &body["reason"]));
        assert_eq!(
            (&step(&ended_run, way)["status"], &step(&ended_run, "ask")["branch"]),
            (&json!("succeeded"), &json!(decision))
        );
        // Also after the end.
        decide(&api, &question, body).await.problem(409, "already_decided");
        let list = api.get(&format!("/api/approvals?run_id={id}&status=decided")).await.expect(200);
        assert_eq!((&list["approvals"][0]["decision"], &list["open"]), (&json!(decision), &json!(0)), "{list:#}");
    }
    // Nobody looks at a rejection: it fails the run.
    let bare = document(
        json!([{"id": "ask", "type": "approval", "config": {"message": "?"}}, echo("go", json!({}))]),
        &[("ask go", "")],
    );
    let id = start(&api, &bare).await;
    decide(&api, &asked(&api, &id).await, json!({"decision": "reject", "reason": "no"})).await.expect(200);
    let ended_run = ended(&api, &id).await;
    assert_eq!((&ended_run["error"]["code"], &ended_run["failed_step"]), (&json!("rejected"), &json!("ask")), "{ended_run:#}");
}

#[tokio::test]
async fn of_two_decisions_at_once_one_counts() {
    let server = simulated(fresh());
    let api = server.api();
    for _ in 0..5 {
        let id = start(&api, &asking(json!({}))).await;
        let question = asked(&api, &id).await;
        let (one, other) = tokio::join!(
            decide(&api, &question, json!({"decision": "approve"})),
            decide(&api, &question, json!({"decision": "reject"}))
        );
        let statuses = [one.status, other.status];
        assert!(statuses == [200, 409] || statuses == [409, 200], "{one:?} {other:?}");
        let way = if one.status == 200 { "pay" } else { "leave" };
        let ended_run = ended(&api, &id).await;
        assert_eq!(step(&ended_run, way)["status"], "succeeded", "{ended_run:#}");
    }
}

#[tokio::test]
async fn when_nobody_decides_in_time_the_author_did() {
    let server = simulated(fresh());
    let api = server.api();
    for (on_timeout, way) in [("approve", "pay"), ("reject", "leave"), ("fail", "")] {
        let id = start(&api, &asking(json!({"timeoutSeconds": 1, "onTimeout": on_timeout}))).await;
        let question = asked(&api, &id).await;
        assert!(question["deadline"].is_string(), "{question:#}");
        let ended_run = ended(&api, &id).await;
        match way {
            "" => assert_eq!(ended_run["error"]["code"], "expired", "{ended_run:#}"),
            way => assert_eq!(step(&ended_run, way)["output"]["answer"]["by"], "timeout", "{ended_run:#}"),
        }
        let late = decide(&api, &question, json!({"decision": "approve"})).await.problem(409, "already_decided");
        assert!(late.contains("timeout"), "{late}");
    }
}

#[tokio::test]
async fn a_question_outlives_the_process() {
    let mut server = simulated(fresh());
    let id = start(&server.api(), &asking(json!({}))).await;
    let question = asked(&server.api(), &id).await;
    for _ in 0..3 {
        server = simulated(server.kill());
        assert_eq!(asked(&server.api(), &id).await["asked_at"], question["asked_at"]);
    }
    let api = server.api();
    decide(&api, &question, json!({"decision": "approve"})).await.expect(200);
    let ended_run = ended(&api, &id).await;
    assert_eq!(ended_run["status"], "succeeded", "{ended_run:#}");
    let events = trace(&api, &id).await;
    assert_eq!(
        shape(&events, &["approval.requested", "approval.decided", "step.lost"]),
        ["approval.requested ask", "approval.decided ask"]
    );
    // Decided is decided, also for the next process.
    let server = simulated(server.kill());
    decide(&server.api(), &question, json!({"decision": "reject"})).await.problem(409, "already_decided");
}

/// A call that must not be made twice, and that the process died in.
#[tokio::test]
async fn an_interrupted_call_that_must_not_be_repeated_asks_a_person() {
    for (body, status, calls) in [
        (json!({"decision": "approve"}), "succeeded", 2),
        (json!({"decision": "approve", "payload": {"json": {"paid": "by hand"}}}), "succeeded", 1),
        (json!({"decision": "reject", "reason": "it was paid"}), "failed", 1),
    ] {
        let first = std::sync::atomic::AtomicBool::new(true);
        let upstream = Upstream::start(move |_| match first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            true => Reply::silence(),
            false => Reply::json(&json!({"paid": "again"})),
        });
        let server = serve(fresh(), &upstream);
        let pay = json!({"id": "pay", "type": "tool", "timeoutSeconds": 60,
            "config": {"url": format!("{}/pay", upstream.url), "method": "POST", "idempotent": false}, "inputs": {"amount": 5}});
        let paying = document(json!([pay, echo("done", json!({"paid": "{{node.pay.output.json.paid}}"}))]), &[("pay done", "")]);
        let id = start(&server.api(), &paying).await;
        upstream.wait_for_calls("/pay", 1);
        let server = serve(server.kill(), &upstream);
        let api = server.api();
        let question = asked(&api, &id).await;
        assert_eq!((&question["interrupted"], &question["payload"]), (&json!(true), &json!({"amount": 5})), "{question:#}");
        assert!(question["message"].as_str().unwrap().contains("`pay`"), "{question:#}");
        // Asking is not asked again by another crash.
        let server = serve(server.kill(), &upstream);
        let api = server.api();
        decide(&api, &asked(&api, &id).await, body.clone()).await.expect(200);
        let ended_run = ended(&api, &id).await;
        assert_eq!((&ended_run["status"], upstream.calls().len()), (&json!(status), calls), "{body}: {ended_run:#}");
        match (status, calls) {
            ("failed", _) => assert_eq!(ended_run["error"]["code"], "interrupted", "{ended_run:#}"),
            (_, 2) => assert_eq!(ended_run["output"], json!({"paid": "again"}), "{ended_run:#}"),
            _ => assert_eq!(ended_run["output"], json!({"paid": "by hand"}), "{ended_run:#}"),
        }
        assert!(upstream.calls().iter().all(|call| call.key == format!("{id}/pay/1")), "one key for one call");
    }
}
