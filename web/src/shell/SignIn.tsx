import { api } from "@/api/client";
import { messageOf } from "@/api/problem";
import { setLocked } from "@/api/session";
import { Button } from "@/ui/button";
import { Field, Input } from "@/ui/field";
import { useTitle } from "@/ui/page";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

/** Shown once the server asked for its token. The token becomes a cookie that scripts cannot read. */
export function SignIn() {
  useTitle("Sign in");
  const [token, setToken] = useState("");
  const client = useQueryClient();
  const signIn = useMutation({
    mutationFn: () => api.signIn(token),
    onSuccess: () => {
      setLocked(false);
      void client.invalidateQueries();
    },
  });
  return (
    <form
      className="m-auto grid w-[min(360px,90vw)] gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        signIn.mutate();
      }}
    >
      <h1 className="text-lg font-semibold">This server needs its token</h1>
      <p className="text-muted">It was printed when the server started, or was set by whoever runs it. An access key that may do everything opens it too.</p>
      <Field label="Token" error={signIn.error ? messageOf(signIn.error) : undefined}>
        {(ids) => (
          <Input {...ids} type="password" autoComplete="current-password" autoFocus value={token} onChange={(event) => setToken(event.target.value)} />
        )}
      </Field>
      <Button type="submit" variant="primary" disabled={!token || signIn.isPending}>
        Sign in
      </Button>
    </form>
  );
}
