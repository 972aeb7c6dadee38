// Generated from openapi.json by `npm run api:generate`. Do not edit.
export interface paths {
    "/api/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What people are asked, by run from new to old. */
        get: operations["listApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/approvals/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Approves, approves something else, or rejects. Of several decisions the first counts; the others are told whose that was. */
        post: operations["decideApproval"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cache": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Forgets every cached answer. */
        delete: operations["clearCache"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/catalog": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Node types, tools, providers, and models with their prices. */
        get: operations["getCatalog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Two runs side by side. */
        get: operations["compareRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/ingest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What came in, and where it is. */
        get: operations["getIngestStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The access keys, oldest first, without the keys themselves. */
        get: operations["listKeys"];
        put?: never;
        /** Makes an access key, which this answer alone shows. */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revokes an access key: from now on nothing is accepted with it. */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This API as an OpenAPI 3.1 document. */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/provider_bindings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All bindings. */
        get: operations["listBindings"];
        put?: never;
        /** Adds a binding. There is one for each workflow, and one for all others. */
        post: operations["createBinding"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/provider_bindings/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Changes a binding. */
        put: operations["updateBinding"];
        post?: never;
        /** Removes a binding. */
        delete: operations["deleteBinding"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/providers/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes one small real call to a provider: "Answer with the word OK", 16 tokens at most, no retry, no fallback. */
        post: operations["testProvider"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long traces are kept, and how many there are. With `days`, also what would go with that. */
        get: operations["getRetention"];
        /** Changes how long traces are kept. What is too old then goes within moments, so that has to be confirmed. */
        put: operations["putRetention"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists runs, newest first. */
        get: operations["listRuns"];
        put?: never;
        /** Runs a document without saving it as a workflow. */
        post: operations["startDocument"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One run with its totals and its first 1,000 steps. */
        get: operations["getRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/blobs/{hash}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The content of a large value that an event of this run refers to. */
        get: operations["getBlob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Asks a run to stop. Calls in flight are given up at once. Asking again changes nothing. */
        post: operations["cancelRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/fork": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts a run that keeps what this one has done beside and before the chosen step. */
        post: operations["forkRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/fork/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a fork would keep and run again. Writes nothing. */
        post: operations["previewFork"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The document that a run is pinned to, whatever was saved since. */
        get: operations["getRunGraph"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Lets no further step begin. Calls in flight come back and are recorded. Pausing again changes nothing. */
        post: operations["pauseRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Lets a paused run go on. */
        post: operations["resumeRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/signals/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a signal to a run. It waits there if no step waits for it yet. With an `Idempotency-Key`, the same signal sent again while
         *     the first one waits counts once.
         */
        post: operations["signalRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The run as it was after event `at_seq`. */
        get: operations["getRunState"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/steps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The steps of a run, page by page. */
        get: operations["listSteps"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/steps/{step_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One step with its input and output whole. */
        get: operations["getStep"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A run as it happens. `id: <seq>`, `event: trace`, `data: {ts, kind, step_id, payload}` for each event of the journal;
         *     `event: delta` (no id) for pieces of answers under way; `event: end` after the last event, then the stream closes.
         *     Whoever comes back after that with `Last-Event-ID` gets 204.
         */
        get: operations["streamRun"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{id}/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The events of a run, in order. */
        get: operations["getTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schema/workflow.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** JSON Schema of the workflow language. */
        get: operations["workflowSchema"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/scores": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keeps a score. */
        post: operations["createScore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The names of the secrets and when each was set, by name. The values are not in it. */
        get: operations["listSecrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/secrets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Sets a secret, or replaces it. It counts from the next call on. */
        put: operations["putSecret"];
        post?: never;
        /** Deletes a secret. Calls that need it fail from now on. */
        delete: operations["deleteSecret"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether this client may use the API. Needs no token. */
        get: operations["getSession"];
        put?: never;
        /** Trades the token, or an access key with the scope `all`, for a cookie. */
        post: operations["createSession"];
        /** Makes the browser forget the cookie. */
        delete: operations["deleteSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists sessions, last active first unless `sort` says otherwise. */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One session with its traces. */
        get: operations["getSessionTraces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/simulate/fail-next": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Forces the next calls of simulated models to fail. */
        post: operations["failNext"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/spend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Calls, tokens and cost by day, model or user. */
        get: operations["getSpend"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/spend/unpriced": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Models whose calls are missing in the cost, those with the most calls first. */
        get: operations["getUnpriced"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists traces, the last that arrived first. */
        get: operations["listTraces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces.jsonl": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Every trace that matches, one to a line, each as `/api/traces/{trace_id}` gives it; the last that arrived first. What arrives
         *     while it is read is left out.
         */
        get: operations["exportTraces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/counters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether everything that was accepted is there: then the first three numbers are equal. */
        get: operations["getTraceCounters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/tail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Traces as they arrive: `event: trace`, `data:` a summary as in the list, each time that spans of it arrive. `event: missed`
         *     (`data: {}`) tells a reader that was too slow to read the list again.
         */
        get: operations["tailTraces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{trace_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One trace with all its spans, earliest first. */
        get: operations["getTraceSpans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{trace_id}/pin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Keeps a trace however old it gets. */
        put: operations["pinTrace"];
        post?: never;
        /** Lets a trace go when it is old. */
        delete: operations["unpinTrace"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{trace_id}/spans/{span_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One span, whole. */
        get: operations["getSpan"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{trace_id}/spans/{span_id}/compare": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A model call of a trace beside the run that made it again. */
        get: operations["compareSpan"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{trace_id}/spans/{span_id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes the model call of a span again, as a run of one step that says where it comes from (`replay_of`). Tools are not offered again. */
        post: operations["replaySpan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{trace_id}/spans/{span_id}/replay/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a replay of a span would send, and about what it would cost. Writes nothing. */
        post: operations["previewSpanReplay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/workflows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists workflows, the newest change first. */
        get: operations["listWorkflows"];
        put?: never;
        /** Saves a new workflow. A document with problems is refused with all of them. */
        post: operations["createWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/workflows/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reports every problem of a document at once, and what is odd about it, without saving it. */
        post: operations["validateWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/workflows/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One workflow with its current document. */
        get: operations["getWorkflow"];
        /**
         * Makes the next version. Runs keep the version that they started with. A saved document ends the draft; with the `ETag` of a
         *     draft in `If-Match` only that one.
         */
        put: operations["updateWorkflow"];
        post?: never;
        /** Hides a workflow. Its versions and runs stay, and it can be restored. */
        delete: operations["deleteWorkflow"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/workflows/{id}/draft": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The draft of a workflow; 404 if there is none. */
        get: operations["getDraft"];
        /** Keeps any document, and tells its problems. */
        put: operations["putDraft"];
        post?: never;
        /** Throws the draft away. */
        delete: operations["deleteDraft"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/workflows/{id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Brings a deleted workflow back. */
        post: operations["restoreWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/workflows/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts a run of the workflow's current version. */
        post: operations["startRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/workflows/{id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The versions of a workflow; also of a deleted one. */
        get: operations["listVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/workflows/{id}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The document of one version. */
        get: operations["getVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the server and its store answer. Needs no token. */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures of the server itself, as OpenMetrics: how long the journal's commits take, what SDKs sent, what waits on disk. */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is running here. Needs no token. */
        get: operations["version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Accepted: {
            id: string;
            /** @description The status when the request came. */
            status: string;
        };
        Again: {
            step_id: string;
            node_type: string;
            /** @description Whether it calls a tool that changes something outside. */
            side_effect: boolean;
        };
        Aligned: {
            step_id: string;
            node_id: string;
            node_type: string;
            a: components["schemas"]["Side"] | null;
            b: components["schemas"]["Side"] | null;
            /** @description In what the two differ: `missing`, `status`, `input`, `prompt`, `target`, `output`, `branch`, `error`. */
            differs: string[];
        };
        Approval: {
            /** @description `<run>:<step>`, as `POST /api/approvals/{id}` takes it. */
            id: string;
            run_id: string;
            step_id: string;
            node_id: string;
            workflow_id: string | null;
            /** @description The name of the workflow as it is now. */
            workflow_name: string | null;
            message: string;
            /** @description What is to be approved; its first characters as a string where it is long. */
            payload: unknown;
            payload_truncated: boolean;
            /** @description Whether it is about a call that was interrupted and must not be made twice, and not about going on. */
            interrupted: boolean;
            asked_at: components["schemas"]["Time"];
            deadline: components["schemas"]["Time"] | null;
            /** @description `approved`, `rejected`, `expired` or `canceled`; null while it is open. */
            decision: string | null;
            decided_by: string | null;
            decided_at: components["schemas"]["Time"] | null;
            reason: string | null;
        };
        ApprovalList: {
            approvals: components["schemas"]["Approval"][];
            /**
             * Format: int64
             * @description How many are open in all.
             */
            open: number;
            next_cursor: string | null;
        };
        Binding: {
            id: string;
            owner_id: string | null;
            workflow_id: string | null;
            provider: string;
            model: string;
            /** Format: double */
            temperature: number | null;
        };
        BindingList: {
            provider_bindings: components["schemas"]["Binding"][];
        };
        CancelRequest: Record<string, never>;
        CancelResponse: {
            id: string;
            /** @description The status when the request came; the run becomes `canceled` a moment later. */
            status: string;
            cancel_requested: boolean;
        };
        CatalogView: {
            /** @description The words that `type` of a node can be. */
            node_types: string[];
            /** @description The tools that are known now and may be used. */
            tools: components["schemas"]["ToolView"][];
            /** @description Servers that bring tools while this one runs. */
            tool_sources: components["schemas"]["ToolSourceView"][];
            providers: components["schemas"]["ProviderView"][];
            /** @description Models with a known price, of these providers. Others can be used too. */
            models: components["schemas"]["ModelView"][];
            /** @description Where the list of prices comes from. */
            prices_source: string;
            /** @description The day on which it was taken. */
            prices_date: string;
        };
        Cleared: {
            /**
             * Format: int64
             * @description How many answers were forgotten.
             */
            removed: number;
        };
        Comparison: {
            a: components["schemas"]["RunSummary"];
            b: components["schemas"]["RunSummary"];
            /** @description The first step, in the order of `steps`, in which the runs differ. */
            first_divergence: string | null;
            /** @description In the order in which they appeared in `a`; what only `b` has comes after what it followed there. */
            steps: components["schemas"]["Aligned"][];
            next_cursor: string | null;
        };
        Conversation: {
            session_id: string;
            user_id: string | null;
            /** @description Start of its first trace. */
            started_at: components["schemas"]["SpanTime"];
            /** @description End of its last trace. */
            last_active_at: components["schemas"]["SpanTime"];
            /** Format: int64 */
            traces: number;
            /** Format: int64 */
            failed_traces: number;
            /** Format: int64 */
            total_tokens: number;
            /**
             * Format: int64
             * @description Without simulated calls.
             */
            total_cost_nanousd: number;
            /** Format: double */
            total_cost_cents: number;
            /** @description False when some call has no known price. */
            cost_complete: boolean;
            summary: components["schemas"]["Work"];
        };
        Counters: {
            /**
             * Format: int64
             * @description Distinct spans that were acknowledged.
             */
            accepted: number;
            /**
             * Format: int64
             * @description Spans that are in the files.
             */
            stored: number;
            /**
             * Format: int64
             * @description Spans that a trace leads to.
             */
            queryable: number;
            /**
             * Format: int64
             * @description Spans that came again, since the server started.
             */
            repeated: number;
            /**
             * Format: int64
             * @description Requests refused because too much was on its way, since the server started.
             */
            refused: number;
            /**
             * Format: int64
             * @description Spans that are not found by their words yet.
             */
            unindexed: number;
        };
        CreateSession: {
            token: string;
        };
        CreateWorkflow: {
            /** @description 1 to 200 characters. */
            name: string;
            description?: string | null;
            /** @description The workflow document, as an object or as a string that holds its JSON. */
            graph_json: unknown;
        };
        Created: {
            id: string;
            /** Format: int32 */
            version: number;
        };
        CreatedKey: components["schemas"]["KeyView"] & {
            /** @description The key itself. Only its SHA-256 is kept, so it is never shown again. */
            key: string;
        };
        Decide: {
            decision: components["schemas"]["Verdict"];
            /** @description With `approve`: what is approved instead of what was asked about. */
            payload?: unknown;
            /** @description Why, for the trace. */
            reason?: string | null;
        };
        Decided: {
            id: string;
            run_id: string;
            step_id: string;
            decision: string;
            decided_by: string;
            decided_at: components["schemas"]["Time"];
        };
        DraftView: {
            /** @description The document; a string with the text if the text is no JSON object. */
            graph_json: unknown;
            /** @description What stands in the way of saving it as a version. */
            problems: components["schemas"]["ProblemItem"][];
            updated_at: components["schemas"]["Time"];
            /**
             * Format: int32
             * @description The version that the workflow is at.
             */
            version: number;
            /** @description The `ETag` of this draft, for `If-Match`. */
            etag: string;
        };
        Edit: {
            /** @description Properties of the node's `config`; null removes one. */
            config?: unknown;
            /** @description The node's `inputs`; null removes one. */
            inputs?: unknown;
        };
        ErrorView: {
            /** @description A stable word, for instance `rate_limited`. */
            code: string;
            message: string;
            /**
             * Format: int32
             * @description The upstream's HTTP status.
             */
            status: number | null;
            /**
             * Format: int64
             * @description What the upstream asked for in `Retry-After`.
             */
            retry_after_ms: number | null;
            upstream_request_id: string | null;
        };
        /** @description What the stream sends as `data`; there, the seq is the `id`. */
        EventData: {
            ts: components["schemas"]["Time"];
            /** @description Dotted and stable, for instance `llm.request`. */
            kind: string;
            /** @description The step's path; null for events of the run itself. */
            step_id: string | null;
            payload: {
                [key: string]: unknown;
            };
        };
        /** @description The next calls fail, whatever their scripts say. Without `status` and `kind` they answer HTTP 500. */
        FailNext: {
            /**
             * @description Only calls of this provider; absent: of any.
             * @default null
             */
            provider: string | null;
            /**
             * Format: int32
             * @description HTTP status, 400 to 599.
             * @default null
             */
            status: number | null;
            /** @default null */
            kind: components["schemas"]["Kind"] | null;
            /**
             * Format: int32
             * @description How many calls, 1 to 1,000; absent: one.
             * @default null
             */
            times: number | null;
            /**
             * Format: int64
             * @description Sent as `Retry-After` beside a status.
             * @default null
             */
            retry_after_ms: number | null;
        };
        ForkRequest: {
            /** @description The path of the step that runs again, and with it what depends on it. */
            from: string;
            /** @description What the run is started with, where that is to be different. */
            input_vars?: unknown;
            /** @description Changes of nodes by id. */
            edits?: {
                [key: string]: components["schemas"]["Edit"];
            };
        };
        Graph: {
            /** @description SHA-256 of the document's JSON. */
            hash: string;
            graph_json: unknown;
        };
        Health: {
            /** @description `ok`. */
            status: string;
        };
        /**
         * @description `accepted`, `stored` and `queryable` are the same whenever nothing is on its way. What is counted "since start" begins at 0 with
         *     every process.
         */
        IngestStatus: {
            /**
             * Format: int64
             * @description Distinct spans that were acknowledged, less those that retention removed.
             */
            accepted: number;
            /**
             * Format: int64
             * @description Spans that are in the files.
             */
            stored: number;
            /**
             * Format: int64
             * @description Spans that are reached through their traces.
             */
            queryable: number;
            /**
             * Format: int64
             * @description Spans that are stored and not yet found by their words.
             */
            unindexed: number;
            /**
             * Format: int64
             * @description Copies and pieces of spans that were there already, since start.
             */
            repeated: number;
            /**
             * Format: int64
             * @description Spans that were received and acknowledged, copies included, since start.
             */
            received_spans: number;
            /**
             * Format: int64
             * @description Log records and changes that became parts of spans, since start.
             */
            received_pieces: number;
            /** Format: int64 */
            received_scores: number;
            /**
             * Format: int64
             * @description Spans and records that could not be read and were reported to their sender, since start.
             */
            rejected: number;
            /**
             * Format: int64
             * @description Log records that name no span; they are not kept. Since start.
             */
            ignored_log_records: number;
            /**
             * Format: int64
             * @description Metrics, which are not kept. Since start.
             */
            ignored_metrics: number;
            /**
             * Format: int64
             * @description Requests that were told to come back, since start.
             */
            overloaded_requests: number;
            /**
             * Format: int64
             * @description Requests that were refused for good, since start.
             */
            refused_requests: number;
            /**
             * Format: int64
             * @description Requests that wait on disk to be stored.
             */
            waiting_requests: number;
            /** Format: int64 */
            waiting_bytes: number;
        };
        Kept: {
            step_id: string;
            node_type: string;
        };
        KeyList: {
            /** @description Whether this server asks for a key or its token at all. On loopback without a token it does not. */
            required: boolean;
            keys: components["schemas"]["KeyView"][];
        };
        /** @enum {string} */
        KeyScope: "all" | "ingest";
        KeyView: {
            id: string;
            name: string;
            scope: components["schemas"]["KeyScope"];
            /** @description How the key begins. */
            hint: string;
            created_at: components["schemas"]["Time"];
            last_used_at: components["schemas"]["Time"] | null;
        };
        /** @enum {string} */
        Kind: "hang" | "cut" | "malformed" | "empty" | "refuse";
        /** @description Something that was said. */
        Message: {
            /** @description `user` or `assistant`. */
            role: string;
            content: string;
        };
        ModelView: {
            provider: string;
            model: string;
            price: components["schemas"]["PriceView"];
        };
        NewKey: {
            /** @description 1 to 100 characters, and no other key's. */
            name: string;
            /** @description What the key may do. */
            scope?: components["schemas"]["KeyScope"];
        };
        NewScore: {
            /** @description One is made if it is absent. A score with the id of another takes its place. */
            id?: string | null;
            /** @description Either this or `session_id`. The trace may arrive later. */
            trace_id?: string | null;
            /** @description One span of the trace. */
            span_id?: string | null;
            /** @description Instead of a trace: the session as a whole, which may arrive later. */
            session_id?: string | null;
            name: string;
            /** @description A number, a text or a yes/no. */
            value: unknown;
            comment?: string | null;
        };
        Nothing: Record<string, never>;
        /** @description A step of another run. */
        OriginView: {
            run_id: string;
            step_id: string;
        };
        /** @enum {string} */
        Phase: "executing" | "waiting" | "paused" | "compensating";
        Preview: {
            /** @description Steps that are kept, with their results. */
            reused: components["schemas"]["Kept"][];
            /** @description Steps that had run and run again. */
            again: components["schemas"]["Again"][];
            /**
             * Format: int64
             * @description What those cost before; null where some price is not known.
             */
            estimate_nanousd: number | null;
        };
        /** @description Pico-dollars (10⁻¹² USD) per token: one dollar per million tokens is 1,000,000. */
        PriceView: {
            /** Format: int64 */
            input_picousd: number;
            /** Format: int64 */
            output_picousd: number;
            /**
             * Format: int64
             * @description Null: as `input_picousd`.
             */
            cache_read_picousd: number | null;
            /**
             * Format: int64
             * @description Null: as `input_picousd`.
             */
            cache_write_picousd: number | null;
        };
        /** @description What every error of the API looks like. */
        ProblemDocument: {
            /** @description `urn:flowtrace:problem:` followed by the code. */
            type: string;
            /** @description The words of the HTTP status. */
            title: string;
            /** Format: int32 */
            status: number;
            /** @description A sentence that says what happened and what to do. */
            detail: string;
            /** @description A stable word for programs. */
            code: string;
            /** @description JSON Pointer (RFC 6901) into the request body, where one value is to blame. */
            pointer: string | null;
            /** @description What is wrong with a workflow document. */
            problems: components["schemas"]["ProblemItem"][];
        };
        /** @description One thing that is wrong with a workflow document. */
        ProblemItem: {
            /** @description A stable word for programs, for instance `unknown_node`. */
            code: string;
            /** @description JSON Pointer (RFC 6901) into the document; empty for the document itself. */
            pointer: string;
            /** @description A sentence. */
            message: string;
            /** @description What was probably meant. */
            suggestion: string | null;
        };
        /** @description How far a step is whose work is done by others. */
        Progress: {
            /**
             * Format: int64
             * @description Items, iterations or turns that have ended.
             */
            done: number;
            /**
             * Format: int64
             * @description Of a map: how many items there are. Of a loop or an agent: how many iterations there may be.
             */
            of: number | null;
            /**
             * Format: int64
             * @description Items that failed, where the map goes on without them.
             */
            failed: number;
        };
        ProviderView: {
            name: string;
            /** @description Whether it has what it needs to be called, for instance its key. */
            configured: boolean;
            simulated: boolean;
            /** @description The variable, or the secret, that holds its key; null: no key is sent. */
            key_name: string | null;
            /** @description Where the key is: `environment` or `secret`; null: nowhere. */
            key_source: string | null;
        };
        PutBinding: {
            /** @description Absent: for every workflow that has no binding of its own. */
            workflow_id?: string | null;
            provider: string;
            model: string;
            /**
             * Format: double
             * @description 0 to 2.
             */
            temperature?: number | null;
        };
        PutDraft: {
            /** @description Any JSON, or a string with any text in it. */
            graph_json: unknown;
        };
        PutRetention: {
            /**
             * Format: int32
             * @description 0 to 36500; 0: for ever. Null: what the configuration file says.
             */
            days?: number | null;
            /** @description Has to be true where traces go. */
            confirm?: boolean;
        };
        PutSecret: {
            /**
             * Format: password
             * @description 1 to 65,536 bytes.
             */
            value: string;
        };
        /** @description What a person is or was asked. */
        QuestionView: {
            message: string;
            /** @description Whether it is about a call that was interrupted, and not about going on. */
            interrupted: boolean;
            asked_at: components["schemas"]["Time"];
            deadline: components["schemas"]["Time"] | null;
            /** @description `approved`, `rejected` or `expired`; null while it is open. */
            decision: string | null;
            decided_by: string | null;
            decided_at: components["schemas"]["Time"] | null;
            reason: string | null;
        };
        Removal: {
            before: components["schemas"]["Time"] | null;
            /** Format: int64 */
            traces: number;
            /**
             * Format: int64
             * @description About so many: the files in which they are.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Pinned traces among them, which stay.
             */
            pinned_traces: number;
        };
        ReplayPreview: {
            /** @description Null where the span names none that is known here, and there is no default. */
            provider: string | null;
            model: string | null;
            system: string | null;
            /** @description Empty where the sender recorded none: then they have to be given. */
            messages: components["schemas"]["Message"][];
            parameters: unknown;
            /** @description What is not as it was in the span, as sentences. */
            notes: string[];
            /** @description Whether the simulated provider will answer. */
            simulated: boolean;
            /**
             * Format: int64
             * @description About what it will cost: the tokens of the span, in proportion to the length of the messages, at the price of the model. Null where
             *     the price or the length of the answer is not known.
             */
            estimate_nanousd: number | null;
            /** @description What the run is started with. */
            graph_json: unknown;
            input_vars: unknown;
            /** @description Why it cannot be started as it is. */
            problem: string | null;
        };
        /** @description What is to be different this time. What is absent is as it was in the span. */
        ReplayRequest: {
            /** @description A provider of this deployment. */
            provider?: string | null;
            model?: string | null;
            /** @description An empty text: no system message. */
            system?: string | null;
            messages?: components["schemas"]["Message"][] | null;
            /** @description As in `config` of an llm node: `temperature`, `topP`, `maxTokens`, `stop`, `seed`. */
            parameters?: unknown;
        };
        RestoreWorkflow: Record<string, never>;
        RetentionView: {
            /**
             * Format: int32
             * @description For so many days traces are kept, and up to a week longer, because whole files go; 0: for ever.
             */
            days: number;
            /** @description Who says so: `settings`, `file` or `default`. */
            source: string;
            /**
             * Format: int32
             * @description What the configuration file says; null: nothing.
             */
            file_days: number | null;
            /** Format: int32 */
            default_days: number;
            /** Format: int64 */
            traces: number;
            /**
             * Format: int64
             * @description Those that stay however old they get.
             */
            pinned_traces: number;
            /**
             * Format: int64
             * @description What all of them take on the disk.
             */
            bytes: number;
            oldest_at: components["schemas"]["Time"] | null;
            would_remove: components["schemas"]["Removal"] | null;
        };
        Run: {
            id: string;
            /** @description Null for a document that was run without being saved. */
            workflow_id: string | null;
            /** Format: int32 */
            workflow_version: number | null;
            /**
             * Format: int32
             * @description Where `workflow_version` is null because the document was edited for this run alone, as a fork does: the version that was
             *     edited.
             */
            edited_version: number | null;
            /** @description SHA-256 of the document that the run is pinned to. */
            workflow_hash: string;
            /** @description W3C trace id: the caller's, where a `traceparent` came in. */
            trace_id: string;
            session_id: string | null;
            /** @description As whoever started it said. */
            user_id: string | null;
            tags: string[];
            metadata: {
                [key: string]: unknown;
            };
            /** @description `api`, `cli` or `web`. */
            triggered_by: string;
            replay_of: components["schemas"]["SpanLink"] | null;
            status: components["schemas"]["Status"];
            phase: components["schemas"]["Phase"] | null;
            /** @description Whether a cancel was asked for that has not come through yet, or that ended the run. */
            cancel_requested: boolean;
            /** @description Whether the models were simulated; such a run is no spend. */
            simulated: boolean;
            started_at: components["schemas"]["Time"];
            finished_at: components["schemas"]["Time"] | null;
            /** Format: int64 */
            total_tokens: number;
            /** Format: int64 */
            total_cost_nanousd: number;
            /** Format: double */
            total_cost_cents: number;
            /** @description False when some call has no known price, so that the cost is a lower bound. */
            cost_complete: boolean;
            /**
             * Format: double
             * @description Wall clock from start to end; null before the end.
             */
            total_latency_ms: number | null;
            /** Format: int64 */
            retries: number;
            /** Format: int64 */
            fallbacks: number;
            /** Format: int64 */
            cache_hits: number;
            /**
             * Format: int64
             * @description What the cache saved, as far as prices are known.
             */
            saved_nanousd: number;
            /** @description The first lines of `error.message`. */
            error_summary: string | null;
            error: components["schemas"]["ErrorView"] | null;
            /** @description The step that failed the run. */
            failed_step: string | null;
            /** @description The limit that ended the run. */
            budget_exceeded: string | null;
            input: unknown;
            /** Format: int64 */
            input_bytes: number;
            input_truncated: boolean;
            /** @description Of a failed run: its best partial result. */
            output: unknown;
            /** Format: int64 */
            output_bytes: number | null;
            /** @description True if `output` is only the first characters, as a string. `include=io` gives all. */
            output_truncated: boolean;
            /**
             * Format: int64
             * @description Seq of the last event in this view.
             */
            last_seq: number;
            /**
             * Format: int64
             * @description How many steps were scheduled or skipped.
             */
            step_count: number;
            /** @description The first 1,000 steps, in the order in which they appeared. */
            steps: components["schemas"]["Step"][];
            /** @description Where `GET /api/runs/{id}/steps?cursor=` goes on; null if `steps` has them all. */
            next_steps_cursor: string | null;
        };
        RunList: {
            /** @description Newest first. */
            runs: components["schemas"]["RunSummary"][];
            next_cursor: string | null;
        };
        /** @description A run in lists. */
        RunSummary: {
            id: string;
            workflow_id: string | null;
            /** Format: int32 */
            workflow_version: number | null;
            /**
             * Format: int32
             * @description Where `workflow_version` is null because the document was edited for this run alone, as a fork does: the version that was
             *     edited.
             */
            edited_version: number | null;
            workflow_hash: string;
            trace_id: string;
            session_id: string | null;
            triggered_by: string;
            status: string;
            waits_for: components["schemas"]["WaitsFor"] | null;
            simulated: boolean;
            started_at: components["schemas"]["Time"];
            finished_at: components["schemas"]["Time"] | null;
            /** Format: int64 */
            total_tokens: number;
            /** Format: int64 */
            total_cost_nanousd: number;
            /** Format: double */
            total_cost_cents: number;
            cost_complete: boolean;
            /**
             * Format: double
             * @description Wall clock from start to end; null before the end.
             */
            total_latency_ms: number | null;
            /**
             * Format: int64
             * @description Steps that were scheduled.
             */
            steps: number;
            /** Format: int64 */
            retries: number;
            /** Format: int64 */
            cache_hits: number;
            error_summary: string | null;
            failed_step: string | null;
        };
        /** @description What a person or an evaluator thought of a trace, a span or a session. */
        Score: {
            id: string;
            /** @description Null for the score of a session. */
            trace_id: string | null;
            /** @description Null for the score of a whole trace. */
            span_id: string | null;
            /** @description Null for the score of a trace or a span. */
            session_id: string | null;
            name: string;
            /** @description A number, a category or a yes/no. */
            value: unknown;
            comment: string | null;
            at: components["schemas"]["SpanTime"];
        };
        /** @description The key that seals the secrets. It is in a file outside of the data directory. */
        SecretKeyView: {
            /**
             * @description `ready`, `not_made` (it is made with the first secret), `missing`, `other` (some secrets were sealed with another one) or
             *     `unusable`.
             */
            status: string;
            /** @description What is wrong with it and what to do; null: nothing is. */
            problem: string | null;
            /** @description Where it is; null: nobody named a place, and there is no home directory. */
            file: string | null;
        };
        SecretList: {
            secrets: components["schemas"]["SecretView"][];
            key: components["schemas"]["SecretKeyView"];
        };
        SecretView: {
            name: string;
            set_at: components["schemas"]["Time"];
            /** @description Whether the key opens it. */
            usable: boolean;
            /** @description What of the server's configuration uses it, such as `provider openai`; then workflows cannot. Empty: it is for workflows. */
            used_by: string[];
            /** @description A variable of the server's environment that is set and comes first; null: the secret counts. */
            shadowed_by: string | null;
        };
        Session: {
            /** @description Whether this server demands a token. */
            token_required: boolean;
            /** @description Whether this client may use the API. */
            authenticated: boolean;
        };
        SessionList: {
            sessions: components["schemas"]["Conversation"][];
            /** @description Null at the end. A page may be short, even empty, with a cursor to go on. */
            next_cursor: string | null;
        };
        SessionTraces: components["schemas"]["Conversation"] & {
            /** @description The last that arrived first. */
            traces_page: components["schemas"]["TraceSummary"][];
            next_cursor: string | null;
            /** @description Those of the session as a whole, oldest first; those of its traces are with the traces. */
            scores: components["schemas"]["Score"][];
        };
        /** @description A step in one of the runs. */
        Side: {
            status: string;
            /** Format: double */
            latency_ms: number | null;
            /** Format: int64 */
            tokens: number | null;
            /** Format: int64 */
            cost_nanousd: number | null;
            provider: string | null;
            model: string | null;
            cached: boolean;
            /** @description Whether another run did the work. */
            reused: boolean;
            input: unknown;
            input_truncated: boolean;
            output: unknown;
            output_truncated: boolean;
            /** @description What a model or a tool was called with. */
            prompt: unknown;
            prompt_truncated: boolean;
            error: string | null;
        };
        Signal: {
            /** @description The output of the step that waits for the signal. */
            payload?: unknown;
        };
        /** @description One step of a trace. */
        Span: {
            span_id: string;
            parent_span_id: string | null;
            name: string;
            /** @description `workflow`, `task`, `agent`, `tool`, `llm`, `embedding`, `retrieval` or `span`. */
            kind: string;
            /** @description `unset`, `ok` or `error`. */
            status: string;
            error: string | null;
            started_at: components["schemas"]["SpanTime"];
            /**
             * Format: double
             * @description Of an open span: until the last that was heard of it.
             */
            duration_ms: number;
            /** @description Whether it is known not to be over yet. */
            open: boolean;
            provider: string | null;
            model_requested: string | null;
            /** @description The model that answered. */
            model: string | null;
            /** Format: int64 */
            tokens_input: number | null;
            /** Format: int64 */
            tokens_output: number | null;
            /** Format: int64 */
            tokens_cached: number | null;
            /** Format: int64 */
            tokens_cache_write: number | null;
            /** Format: int64 */
            tokens_reasoning: number | null;
            /** Format: int64 */
            cost_nanousd: number | null;
            prompt_name: string | null;
            prompt_version: string | null;
            /** @description For a model call its messages; for any other span what it was given. */
            input: unknown;
            output: unknown;
            /** @description As they were received. */
            attributes: {
                [key: string]: unknown;
            };
            /** @description Whether its usage counts in the totals: wrappers and second records of one call do not. Null for a span alone. */
            counted: boolean | null;
            simulated: boolean;
            service: string | null;
            environment: string | null;
            metadata: {
                [key: string]: unknown;
            };
            tags: string[];
            finish_reason: string | null;
            /** Format: double */
            first_token_ms: number | null;
            parameters: {
                [key: string]: unknown;
            };
            tools: unknown;
            events: components["schemas"]["SpanEvent"][];
            links: components["schemas"]["SpanLink"][];
            resource: {
                [key: string]: unknown;
            };
            /** @description The instrumentation library. */
            scope: string | null;
        };
        SpanComparison: {
            trace_id: string;
            span_id: string;
            name: string;
            run: components["schemas"]["RunSummary"];
            /** @description The span as `a`, the run's model step as `b`. */
            step: components["schemas"]["Aligned"];
        };
        /** @description Something that happened at one moment of a span. */
        SpanEvent: {
            name: string;
            at: components["schemas"]["SpanTime"];
            attributes: {
                [key: string]: unknown;
            };
        };
        /** @description A span of this or another trace. */
        SpanLink: {
            trace_id: string;
            span_id: string;
        };
        /**
         * Format: date-time
         * @description RFC 3339, UTC, always six decimals.
         * @example 2026-01-02T03:04:05.678901Z
         */
        SpanTime: string;
        /** @description What model calls and embeddings add up to; simulated ones and second records of one call are left out. */
        Spend: {
            /** @description The day, the model or the user; empty for calls without one. */
            key: string;
            /** Format: int64 */
            calls: number;
            /** Format: int64 */
            tokens_input: number;
            /** Format: int64 */
            tokens_output: number;
            /** Format: int64 */
            cost_nanousd: number;
            /** Format: double */
            cost_cents: number;
            /** @description False when some call has no known price. */
            cost_complete: boolean;
        };
        SpendList: {
            spend: components["schemas"]["Spend"][];
        };
        StartDocument: {
            /** @description The workflow document, as an object or as a string that holds its JSON. */
            graph_json: unknown;
            input_vars?: {
                [key: string]: unknown;
            };
            session_id?: string | null;
            /** @description Whom the run is for; its trace is found by it. */
            user_id?: string | null;
            /** @description Its trace is found by them. At most 100, without commas. */
            tags?: string[];
            /** @description Keys and values by which its trace is found; at most 100. */
            metadata?: {
                [key: string]: unknown;
            };
        };
        StartWorkflow: {
            /** @description What the workflow reads as `input`; `{}` if absent. */
            input_vars?: {
                [key: string]: unknown;
            };
            session_id?: string | null;
            /** @description Whom the run is for; its trace is found by it. */
            user_id?: string | null;
            /** @description Its trace is found by them. At most 100, without commas. */
            tags?: string[];
            /** @description Keys and values by which its trace is found; at most 100. */
            metadata?: {
                [key: string]: unknown;
            };
        };
        Started: {
            runId: string;
            /** @description The same as `runId`. */
            id: string;
            trace_id: string;
            run: components["schemas"]["Run"] | null;
        };
        /** @enum {string} */
        Status: "queued" | "running" | "succeeded" | "failed" | "canceled";
        Step: {
            /** @description The step's path. */
            step_id: string;
            node_id: string;
            node_type: string;
            name: string;
            status: components["schemas"]["StepStatusView"];
            started_at: components["schemas"]["Time"] | null;
            finished_at: components["schemas"]["Time"] | null;
            /** Format: double */
            latency_ms: number | null;
            /**
             * Format: double
             * @description Milliseconds from the request to the first token of the last answer.
             */
            first_token_ms: number | null;
            /**
             * Format: int32
             * @description Tries over all requests of the step.
             */
            attempts: number;
            /**
             * Format: int32
             * @description Logical calls: 2 and more where a fallback took over.
             */
            requests: number;
            next_attempt_at: components["schemas"]["Time"] | null;
            /** @description Whether the cache answered. */
            cached: boolean;
            provider: string | null;
            model: string | null;
            /** @description The model that the provider says it used. */
            answered_by: string | null;
            simulated: boolean;
            /** Format: int64 */
            tokens_input: number | null;
            /** Format: int64 */
            tokens_output: number | null;
            /**
             * Format: int64
             * @description Those of `tokens_input` that the provider's own prompt cache covered.
             */
            tokens_cached: number | null;
            /**
             * Format: int64
             * @description Those of `tokens_output` that were reasoning.
             */
            tokens_reasoning: number | null;
            /** Format: int64 */
            cost_nanousd: number | null;
            /** Format: double */
            cost_cents: number | null;
            /** Format: int64 */
            saved_nanousd: number | null;
            /** @description The decision of a router, a gate or a person: a string or a bool. */
            branch: unknown;
            /**
             * Format: int32
             * @description How often the model was asked to mend its answer.
             */
            repairs: number;
            /** @description Whether the run goes on from the step's failure. */
            handled: boolean;
            /** @description The failed step inside of this one that failed it. */
            failed_inside: string | null;
            progress: components["schemas"]["Progress"] | null;
            question: components["schemas"]["QuestionView"] | null;
            reused_from: components["schemas"]["OriginView"] | null;
            /** @description Whole if it is short or `include=io` is given, else the first characters as a string. */
            input: unknown;
            /** Format: int64 */
            input_bytes: number | null;
            input_truncated: boolean;
            /** @description Whole if it is short or `include=io` is given, else the first characters as a string. */
            output: unknown;
            /** Format: int64 */
            output_bytes: number | null;
            output_truncated: boolean;
            error: components["schemas"]["ErrorView"] | null;
        };
        StepList: {
            /** @description In the order in which they were scheduled or skipped. */
            steps: components["schemas"]["Step"][];
            next_cursor: string | null;
        };
        /** @enum {string} */
        StepStatusView: "running" | "waiting" | "succeeded" | "failed" | "skipped" | "canceled";
        TestRequest: {
            /**
             * @description The model to ask; absent: the default model of this provider, else its cheapest one with a known price.
             * @default null
             */
            model: string | null;
        };
        TestResult: {
            /** @description Whether the provider answered. */
            ok: boolean;
            /** @description The model that was asked. */
            model: string;
            /** @description The model that the provider says it used. */
            answered_by: string | null;
            simulated: boolean;
            /**
             * Format: double
             * @description From the request to the end of the answer, or to the failure.
             */
            latency_ms: number;
            /** Format: double */
            first_token_ms: number | null;
            /** Format: int64 */
            tokens: number | null;
            /**
             * Format: int64
             * @description What the test itself cost; it belongs to no run. Null: the price or the usage is unknown.
             */
            cost_nanousd: number | null;
            error: components["schemas"]["ErrorView"] | null;
        };
        /**
         * Format: date-time
         * @description RFC 3339, UTC, always six decimals.
         * @example 2026-01-02T03:04:05.678901Z
         */
        Time: string;
        ToolSourceView: {
            name: string;
            /** @description Names of its tools begin so. */
            prefix: string;
            /** @description Whether its tools are known. Until then a document may name any. */
            reached: boolean;
            /** @description What is wrong with it at the moment. */
            problem: string | null;
        };
        ToolView: {
            name: string;
            description: string;
            /** @description JSON Schema of the node's `config` without `tool`. */
            config_schema: unknown;
            /** @description JSON Schema of the node's `inputs`, which are also what a model gives as arguments. */
            input_schema: unknown;
            /** @description JSON Schema of the output. */
            output_schema: unknown;
            /** @description What a call may change: `read_only`, `idempotent` (making it twice changes no more than once) or `side_effect`. */
            effect: string;
            /** @description Whether a call that may have been carried out can be made again. */
            idempotent: boolean;
            /** @description Whether it reaches out of the process. */
            remote: boolean;
            /**
             * Format: int64
             * @description The longest time of one call in milliseconds, where the operator set one; the node's `timeoutSeconds` may be shorter.
             */
            timeout_ms: number | null;
        };
        /** @description A trace with its spans. */
        Trace: components["schemas"]["TraceSummary"] & {
            /** @description Earliest first. The parent of a span may be missing: then it is shown as a root. */
            spans: components["schemas"]["Span"][];
            scores: components["schemas"]["Score"][];
        };
        /**
         * @description One event. Large values in the payload are `{"blob": {hash, bytes, preview}}`, small ones `{"inline": value}`; the
         *     content of a blob is at `/api/runs/{id}/blobs/{hash}`.
         */
        TraceEvent: components["schemas"]["EventData"] & {
            /**
             * Format: int64
             * @description From 1, without gaps.
             */
            seq: number;
        };
        TraceList: {
            traces: components["schemas"]["TraceSummary"][];
            /** @description Null at the end. A search for a phrase may give a short page, even an empty one, with a cursor to go on. */
            next_cursor: string | null;
        };
        TracePage: {
            events: components["schemas"]["TraceEvent"][];
            /**
             * Format: int64
             * @description What to ask for next; null at the end.
             */
            next_after_seq: number | null;
        };
        /** @description A trace in a list. */
        TraceSummary: {
            trace_id: string;
            /** @description The name of the root span. */
            name: string;
            session_id: string | null;
            user_id: string | null;
            /** @description `ok`, `failed` or `running`. Failed: the root failed, or a model call or an agent did and no retry made it good. */
            status: string;
            waits_for: components["schemas"]["WaitsFor"] | null;
            /** @description The first line of what went wrong. */
            error: string | null;
            started_at: components["schemas"]["SpanTime"];
            /** Format: double */
            duration_ms: number;
            /** Format: int64 */
            total_tokens: number;
            /** Format: int64 */
            total_cost_nanousd: number;
            /** Format: double */
            total_cost_cents: number;
            /** @description False when some call has no known price. */
            cost_complete: boolean;
            /** @description Models that its calls were answered by, in the order of their first calls; at most 8. */
            models: string[];
            service: string | null;
            environment: string | null;
            workflow: string | null;
            tags: string[];
            pinned: boolean;
            summary: components["schemas"]["Work"];
        };
        UnpricedList: {
            models: components["schemas"]["UnpricedModel"][];
        };
        /** @description A model whose calls are missing in the cost, because no price of it was known. */
        UnpricedModel: {
            /** @description Of the newest of those calls; empty if it named none. */
            provider: string;
            /** @description Empty for calls that named none. */
            model: string;
            /** Format: int64 */
            calls: number;
            /** @description `YYYY-MM-DD` in UTC. */
            last_day: string;
        };
        UpdateWorkflow: {
            name?: string | null;
            description?: string | null;
            /** @description The workflow document, as an object or as a string that holds its JSON. */
            graph_json?: unknown;
        };
        ValidateWorkflow: {
            /** @description The workflow document, as an object or as a string that holds its JSON. */
            graph_json: unknown;
        };
        Validation: {
            valid: boolean;
            problems: components["schemas"]["ProblemItem"][];
            /** @description What is allowed and probably not meant: never a reason to refuse the document. */
            warnings: components["schemas"]["ProblemItem"][];
        };
        /** @enum {string} */
        Verdict: "approve" | "reject";
        Version: {
            name: string;
            version: string;
            /** @description `unknown` for a build outside git. */
            git_sha: string;
            /** @description Whether the models are simulated. */
            simulated: boolean;
            /** @description A new one for every process. */
            instance: string;
        };
        VersionDocument: {
            /** Format: int32 */
            version: number;
            hash: string;
            graph_json: unknown;
            created_at: components["schemas"]["Time"];
        };
        VersionList: {
            /** @description Oldest first. */
            versions: components["schemas"]["VersionView"][];
        };
        VersionView: {
            /** Format: int32 */
            version: number;
            hash: string;
            created_at: components["schemas"]["Time"];
        };
        Waiting: {
            /** @description Forced failures that no call has met yet. */
            waiting: number;
        };
        /** @enum {string} */
        WaitsFor: "person" | "other";
        /** @description What a trace or a session did. */
        Work: {
            /** Format: int64 */
            spans: number;
            /** Format: int64 */
            errors: number;
            /**
             * Format: int64
             * @description Of a run its steps, those that were skipped left out. Elsewhere units of work: model calls, tool calls, retrievals, and tasks and
             *     agents that contain none of them.
             */
            steps: number;
            /** Format: int64 */
            llm_calls: number;
            /** Format: int64 */
            tool_calls: number;
            /**
             * Format: int64
             * @description How many times an agent handed over to another one, in the longest chain of them.
             */
            handoff_depth: number;
            /**
             * Format: int64
             * @description Failed calls, tasks or agents that were tried again.
             */
            retries: number;
            /** Format: int64 */
            tokens_input: number;
            /** Format: int64 */
            tokens_output: number;
            /**
             * Format: int64
             * @description Of the input.
             */
            tokens_cached: number;
            /**
             * Format: int64
             * @description Of the input.
             */
            tokens_cache_write: number;
            /**
             * Format: int64
             * @description Of the output.
             */
            tokens_reasoning: number;
            /**
             * Format: int64
             * @description Calls that are missing in the cost.
             */
            unpriced_calls: number;
            /**
             * Format: int64
             * @description Calls that the simulated provider answered.
             */
            simulated_calls: number;
            /**
             * Format: int64
             * @description The part of the cost that nobody pays, because it was simulated.
             */
            simulated_nanousd: number;
        };
        WorkflowList: {
            /** @description Newest change first. */
            workflows: components["schemas"]["WorkflowSummary"][];
            next_cursor: string | null;
        };
        WorkflowSummary: {
            id: string;
            name: string;
            description: string | null;
            /** Format: int32 */
            version: number;
            hash: string;
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
        };
        WorkflowView: {
            id: string;
            owner_id: string | null;
            name: string;
            description: string | null;
            /**
             * Format: int32
             * @description From 1; every change makes the next. The `ETag` is the same number.
             */
            version: number;
            /** @description SHA-256 of the document's JSON. */
            hash: string;
            /** @description The document as it was saved. */
            graph_json: unknown;
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
            draft_updated_at: components["schemas"]["Time"] | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listApprovals: {
        parameters: {
            query?: {
                /** @description `open` (the default), `decided` or `all`. */
                status?: string | null;
                /** @description Only those of this run. */
                run_id?: string | null;
                /** @description `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description 1 to 200; 50 where it is absent. */
                limit?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    decideApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `id` of the approval, percent-encoded */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Decide"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decided"];
                };
            };
            /** @description It is decided already: the sentence says by whom and when */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    clearCache: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cleared"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getCatalog: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CatalogView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    compareRuns: {
        parameters: {
            query: {
                /** @description A run. */
                a: string;
                /** @description Another one. */
                b: string;
                /** @description `next_cursor` of the page before. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Comparison"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getIngestStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IngestStatus"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKey"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedKey"];
                };
            };
            /** @description The name is taken, or there are too many */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    listBindings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BindingList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    createBinding: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutBinding"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Binding"];
                };
            };
            /** @description There is one already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    updateBinding: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The binding */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutBinding"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Binding"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    deleteBinding: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The binding */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    testProvider: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The provider */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TestRequest"];
            };
        };
        responses: {
            /** @description The call was made, whatever came of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestResult"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getRetention: {
        parameters: {
            query?: {
                /** @description What would go with so many days; 0: for ever. */
                days?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    putRetention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutRetention"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionView"];
                };
            };
            /** @description Traces would go, and `confirm` is not true */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    listRuns: {
        parameters: {
            query?: {
                /** @description `queued`, `running`, `succeeded`, `failed` or `canceled`. */
                status?: string;
                workflow_id?: string;
                session_id?: string;
                /** @description 1 to 200; 50 if absent. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    startDocument: {
        parameters: {
            query?: {
                /** @description Answer when the run has ended, or after this many seconds: 0 to 60. */
                wait?: number;
            };
            header?: {
                /** @description The same key with the same request starts one run within 24 hours */
                "Idempotency-Key"?: string | null;
                /** @description W3C trace context: the run becomes a part of this trace */
                traceparent?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartDocument"];
            };
        };
        responses: {
            /** @description The key was used for the same request before: the run that it started. Carries `Idempotency-Replayed: true` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            201: {
                headers: {
                    /** @description The run */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description The key was used for another request, or the document cannot run */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getRun: {
        parameters: {
            query?: {
                /** @description `io` gives inputs and outputs whole. */
                include?: string;
            };
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getBlob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                id: string;
                /** @description `hash` of the reference */
                hash: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The value */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    cancelRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CancelRequest"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CancelResponse"];
                };
            };
            /** @description The run has ended already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    forkRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ForkRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    /** @description The run */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description The changed document cannot run, or what is kept does not fit it */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    previewFork: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ForkRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description The changed document cannot run, or what is kept does not fit it */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getRunGraph: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Graph"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    pauseRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Nothing"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The run has ended already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    resumeRun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Nothing"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The run has ended already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    signalRun: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key sends one signal */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description The run */
                id: string;
                /** @description As the `wait` node names it */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Signal"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The run has ended already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getRunState: {
        parameters: {
            query?: {
                /** @description The last event that counts; all of them if absent. */
                at_seq?: number;
                /** @description `io` gives inputs and outputs whole. */
                include?: string;
            };
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    listSteps: {
        parameters: {
            query?: {
                /** @description `io` gives inputs and outputs whole. */
                include?: string;
                /** @description 1 to 1,000; 1,000 if absent. */
                limit?: number;
                /** @description `next_cursor` of the page before, or `next_steps_cursor` of the run. */
                cursor?: string;
                /** @description The steps as they were after this event; as they are now if absent. */
                at_seq?: number;
            };
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getStep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The run */
                id: string;
                /** @description The step's path, percent-encoded */
                step_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Step"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    streamRun: {
        parameters: {
            query?: {
                /** @description Only later events than this one. A `Last-Event-ID` header goes first. */
                after_seq?: number;
            };
            header?: {
                /** @description Seq of the last event that the client has */
                "Last-Event-ID"?: number | null;
            };
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["EventData"];
                };
            };
            /** @description The run has ended and the client has all of it */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getTrace: {
        parameters: {
            query?: {
                /** @description Only later events than this one; 0 if absent. */
                after_seq?: number;
                /** @description 1 to 5,000; 1,000 if absent. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The run */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TracePage"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    workflowSchema: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/schema+json": unknown;
                };
            };
        };
    };
    createScore: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewScore"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Score"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    listSecrets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    putSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 1 to 100 letters, digits, `_`, `-` and `.`; a letter, a digit or `_` first */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutSecret"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretView"];
                };
            };
            /** @description There are too many, or the key that seals is missing */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    deleteSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The secret */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    createSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateSession"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description The token is wrong */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    deleteSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cookie is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    listSessions: {
        parameters: {
            query?: {
                user_id?: string;
                /** @description A part of the name of the session or of its user, whatever its case. */
                q?: string;
                /** @description `failed`: some trace of it failed; `ok`: none did. */
                status?: string;
                /**
                 * @description `newest` (the default: last active first, by the arrival of their traces), `started_at`, `traces`, `cost` or `tokens`; with a `-`
                 *     before it from the highest.
                 */
                sort?: string;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description 1 to 200; 50 if absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getSessionTraces: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Traces in the page: 1 to 200; 50 if absent. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description As the sender named it */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionTraces"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    failNext: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FailNext"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Waiting"];
                };
            };
            /** @description The models are real */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getSpend: {
        parameters: {
            query: {
                /** @description `day`, `model` or `user`. */
                by: string;
                /** @description The first day, `YYYY-MM-DD` in UTC. */
                from?: string;
                /** @description The last day. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpendList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getUnpriced: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnpricedList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    listTraces: {
        parameters: {
            query?: {
                /** @description Started at this time or later; RFC 3339. */
                from?: string;
                /** @description Started at this time or earlier; RFC 3339. */
                to?: string;
                /** @description `ok`, `failed` or `running`. */
                status?: string;
                /** @description Some span has the kind: `workflow`, `task`, `agent`, `tool`, `llm`, `embedding`, `retrieval` or `span`. */
                kind?: string;
                /** @description Some span has the name. */
                name?: string;
                /** @description Some span asked for the model, or was answered by it. */
                model?: string;
                provider?: string;
                /** @description The name of a prompt. */
                prompt?: string;
                /**
                 * @description A version of a prompt: of the one that `prompt` names, or else of any. The prompts of a run are named after its workflow and node, and
                 *     their version is that of the workflow.
                 */
                prompt_version?: string;
                service?: string;
                environment?: string;
                workflow?: string;
                session_id?: string;
                user_id?: string;
                /** @description A tag, or several with commas between them; they may also be given one by one. */
                tag?: string;
                /** @description A JSON object of keys and their values, for instance `{"ticket":17}`. */
                metadata?: string;
                min_duration_ms?: number;
                max_duration_ms?: number;
                min_cost_nanousd?: number;
                max_cost_nanousd?: number;
                min_tokens?: number;
                max_tokens?: number;
                /** @description It has a score of this name. */
                score?: string;
                min_score?: number;
                max_score?: number;
                pinned?: boolean;
                /** @description Words, `"phrases"` and beginnings of words (`refun*`) of prompts, answers, arguments, results and errors. */
                q?: string;
                /**
                 * @description `newest` (the default: by arrival, so that pages are stable), `started_at`, `duration`, `cost` or `tokens`; with a `-` before
                 *     it from the highest.
                 */
                sort?: string;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description 1 to 200; 50 if absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    exportTraces: {
        parameters: {
            query?: {
                /** @description Started at this time or later; RFC 3339. */
                from?: string;
                /** @description Started at this time or earlier; RFC 3339. */
                to?: string;
                /** @description `ok`, `failed` or `running`. */
                status?: string;
                /** @description Some span has the kind: `workflow`, `task`, `agent`, `tool`, `llm`, `embedding`, `retrieval` or `span`. */
                kind?: string;
                /** @description Some span has the name. */
                name?: string;
                /** @description Some span asked for the model, or was answered by it. */
                model?: string;
                provider?: string;
                /** @description The name of a prompt. */
                prompt?: string;
                /**
                 * @description A version of a prompt: of the one that `prompt` names, or else of any. The prompts of a run are named after its workflow and node, and
                 *     their version is that of the workflow.
                 */
                prompt_version?: string;
                service?: string;
                environment?: string;
                workflow?: string;
                session_id?: string;
                user_id?: string;
                /** @description A tag, or several with commas between them; they may also be given one by one. */
                tag?: string;
                /** @description A JSON object of keys and their values, for instance `{"ticket":17}`. */
                metadata?: string;
                min_duration_ms?: number;
                max_duration_ms?: number;
                min_cost_nanousd?: number;
                max_cost_nanousd?: number;
                min_tokens?: number;
                max_tokens?: number;
                /** @description It has a score of this name. */
                score?: string;
                min_score?: number;
                max_score?: number;
                pinned?: boolean;
                /** @description Words, `"phrases"` and beginnings of words (`refun*`) of prompts, answers, arguments, results and errors. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One trace a line */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jsonl": string;
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getTraceCounters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Counters"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    tailTraces: {
        parameters: {
            query?: {
                /** @description Started at this time or later; RFC 3339. */
                from?: string;
                /** @description Started at this time or earlier; RFC 3339. */
                to?: string;
                /** @description `ok`, `failed` or `running`. */
                status?: string;
                /** @description Some span has the kind: `workflow`, `task`, `agent`, `tool`, `llm`, `embedding`, `retrieval` or `span`. */
                kind?: string;
                /** @description Some span has the name. */
                name?: string;
                /** @description Some span asked for the model, or was answered by it. */
                model?: string;
                provider?: string;
                /** @description The name of a prompt. */
                prompt?: string;
                /**
                 * @description A version of a prompt: of the one that `prompt` names, or else of any. The prompts of a run are named after its workflow and node, and
                 *     their version is that of the workflow.
                 */
                prompt_version?: string;
                service?: string;
                environment?: string;
                workflow?: string;
                session_id?: string;
                user_id?: string;
                /** @description A tag, or several with commas between them; they may also be given one by one. */
                tag?: string;
                /** @description A JSON object of keys and their values, for instance `{"ticket":17}`. */
                metadata?: string;
                min_duration_ms?: number;
                max_duration_ms?: number;
                min_cost_nanousd?: number;
                max_cost_nanousd?: number;
                min_tokens?: number;
                max_tokens?: number;
                /** @description It has a score of this name. */
                score?: string;
                min_score?: number;
                max_score?: number;
                pinned?: boolean;
                /** @description Words, `"phrases"` and beginnings of words (`refun*`) of prompts, answers, arguments, results and errors. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["TraceSummary"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getTraceSpans: {
        parameters: {
            query?: {
                /**
                 * @description `none` leaves out what only single spans are opened for (`input`, `output`, `attributes`, …), which makes large traces
                 *     quick.
                 */
                io?: string;
            };
            header?: never;
            path: {
                /** @description 32 hexadecimal digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trace"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    pinTrace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 32 hexadecimal digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is kept */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    unpinTrace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 32 hexadecimal digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It goes with its age */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getSpan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 32 hexadecimal digits */
                trace_id: string;
                /** @description 16 hexadecimal digits */
                span_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Span"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    compareSpan: {
        parameters: {
            query: {
                /** @description The run that made the call again. */
                run: string;
            };
            header?: never;
            path: {
                /** @description 32 hexadecimal digits */
                trace_id: string;
                /** @description 16 hexadecimal digits */
                span_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpanComparison"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    replaySpan: {
        parameters: {
            query?: {
                /** @description Answer when the run has ended, or after this many seconds: 0 to 60. */
                wait?: number;
            };
            header?: {
                /** @description The same key with the same request starts one run within 24 hours */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description 32 hexadecimal digits */
                trace_id: string;
                /** @description 16 hexadecimal digits */
                span_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayRequest"];
            };
        };
        responses: {
            /** @description The key was used for the same request before: the run that it started */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            201: {
                headers: {
                    /** @description The run */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description The span is no model call, or it lacks what a call needs */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    previewSpanReplay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 32 hexadecimal digits */
                trace_id: string;
                /** @description 16 hexadecimal digits */
                span_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayPreview"];
                };
            };
            /** @description The span is no model call */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    listWorkflows: {
        parameters: {
            query?: {
                /** @description 1 to 200; 50 if absent. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    createWorkflow: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateWorkflow"];
            };
        };
        responses: {
            201: {
                headers: {
                    /** @description The workflow */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Created"];
                };
            };
            /** @description The document has problems */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    validateWorkflow: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ValidateWorkflow"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Validation"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getWorkflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    /** @description The version, for `If-Match` */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    updateWorkflow: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of the workflow, or of the draft, that the change is made for */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateWorkflow"];
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description The version, for `If-Match` */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowView"];
                };
            };
            /** @description The workflow was changed since */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            /** @description The document has problems */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    deleteWorkflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is hidden */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getDraft: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    /** @description Of the draft, for `If-Match` */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    putDraft: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of the draft that this one replaces; that of the workflow if it has none */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutDraft"];
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description Of the draft, for `If-Match` */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftView"];
                };
            };
            /** @description The workflow or its draft was changed since */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    deleteDraft: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of the draft that is meant */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is no draft any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The workflow or its draft was changed since */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    restoreWorkflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RestoreWorkflow"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkflowView"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    startRun: {
        parameters: {
            query?: {
                /** @description Answer when the run has ended, or after this many seconds: 0 to 60. */
                wait?: number;
            };
            header?: {
                /** @description The same key with the same request starts one run within 24 hours */
                "Idempotency-Key"?: string | null;
                /** @description W3C trace context: the run becomes a part of this trace */
                traceparent?: string | null;
            };
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartWorkflow"];
            };
        };
        responses: {
            /** @description The key was used for the same request before: the run that it started. Carries `Idempotency-Replayed: true` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            201: {
                headers: {
                    /** @description The run */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description The key was used for another request, or the workflow cannot run */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    listVersions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workflow */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionList"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The workflow */
                id: string;
                /** @description From 1 */
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionDocument"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text; version=1.0.0; charset=utf-8": string;
                };
            };
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    version: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Version"];
                };
            };
        };
    };
}
