// Generated from openapi.json by `npm run api:generate`. Do not edit.
export interface paths {
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
        /** Trades the token for a cookie. */
        post: operations["createSession"];
        /** Makes the browser forget the cookie. */
        delete: operations["deleteSession"];
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
        /** Reports every problem of a document at once, without saving it. */
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
            tools: components["schemas"]["ToolView"][];
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
        Graph: {
            /** @description SHA-256 of the document's JSON. */
            hash: string;
            graph_json: unknown;
        };
        Health: {
            /** @description `ok`. */
            status: string;
        };
        /** @enum {string} */
        Kind: "hang" | "cut" | "malformed" | "empty" | "refuse";
        ModelView: {
            provider: string;
            model: string;
            price: components["schemas"]["PriceView"];
        };
        /** @enum {string} */
        Phase: "executing" | "waiting";
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
        ProviderView: {
            name: string;
            /** @description Whether it has what it needs to be called, for instance its key. */
            configured: boolean;
            simulated: boolean;
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
        RestoreWorkflow: Record<string, never>;
        Run: {
            id: string;
            /** @description Null for a document that was run without being saved. */
            workflow_id: string | null;
            /** Format: int32 */
            workflow_version: number | null;
            /** @description SHA-256 of the document that the run is pinned to. */
            workflow_hash: string;
            /** @description W3C trace id: the caller's, where a `traceparent` came in. */
            trace_id: string;
            session_id: string | null;
            /** @description `api`, `cli` or `web`. */
            triggered_by: string;
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
            workflow_hash: string;
            trace_id: string;
            session_id: string | null;
            triggered_by: string;
            status: string;
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
        Session: {
            /** @description Whether this server demands a token. */
            token_required: boolean;
            /** @description Whether this client may use the API. */
            authenticated: boolean;
        };
        StartDocument: {
            /** @description The workflow document, as an object or as a string that holds its JSON. */
            graph_json: unknown;
            input_vars?: {
                [key: string]: unknown;
            };
            session_id?: string | null;
        };
        StartWorkflow: {
            /** @description What the workflow reads as `input`; `{}` if absent. */
            input_vars?: {
                [key: string]: unknown;
            };
            session_id?: string | null;
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
            /** @description A router's decision: a string or a bool. */
            branch: unknown;
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
        ToolView: {
            name: string;
            description: string;
            /** @description JSON Schema of the node's `config` without `tool`. */
            config_schema: unknown;
            /** @description Whether it reaches over a network. */
            remote: boolean;
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
        TracePage: {
            events: components["schemas"]["TraceEvent"][];
            /**
             * Format: int64
             * @description What to ask for next; null at the end.
             */
            next_after_seq: number | null;
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
        };
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
