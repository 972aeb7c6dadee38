//! What can be said about the results of an expression without evaluating it.

use cel::common::ast::{Expr, LiteralValue, operators};

/// Whether every result is written out in the expression: texts and booleans that it chooses between.
pub fn is_closed(expression: &Expr) -> bool {
    match expression {
        Expr::Literal(LiteralValue::String(_) | LiteralValue::Boolean(_)) => true,
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::CONDITIONAL, [_, yes, no]) => is_closed(&yes.expr) && is_closed(&no.expr),
            (
                operators::EQUALS
                | operators::NOT_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS
                | operators::LESS
                | operators::LESS_EQUALS
                | operators::LOGICAL_AND
                | operators::LOGICAL_OR
                | operators::LOGICAL_NOT
                | operators::IN
                | "contains"
                | "startsWith"
                | "endsWith"
                | "matches"
                | "bool",
                _,
            ) => true,
            _ => false,
        },
        Expr::Select(select) => select.test,
        // `all` and `exists` give a boolean, but `map` and `filter` do not, and they look alike here.
        _ => false,
    }
}

/// Whether it is `branch == 'text'`, or several of these joined by `||`.
pub fn names_branches(expression: &Expr) -> bool {
    let Expr::Call(call) = expression else { return false };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::EQUALS, [left, right]) => {
            let pair = [&left.expr, &right.expr];
            pair.iter().any(|side| matches!(side, Expr::Ident(name) if name == "branch"))
                && pair.iter().any(|side| matches!(side, Expr::Literal(_)))
        }
        (operators::LOGICAL_OR, sides) => sides.iter().all(|side| names_branches(&side.expr)),
        _ => false,
    }
}
