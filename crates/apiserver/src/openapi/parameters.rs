//! The query parameters of operations, in upstream's words.

pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) r#type: &'static str,
    pub(super) description: &'static str,
}

const fn text(name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, r#type: "string", description }
}

const fn number(name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, r#type: "integer", description }
}

const fn flag(name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, r#type: "boolean", description }
}

pub(super) const PRETTY: Parameter = text(
    "pretty",
    "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or \
     command-line HTTP tool (curl and wget).",
);

pub(super) const FORCE: Parameter = flag(
    "force",
    "Force is going to \"force\" Apply requests. It means user will re-acquire conflicting fields owned by other people. \
     Force flag must be unset for non-apply patch requests.",
);

const DRY_RUN: Parameter = text(
    "dryRun",
    "When present, indicates that modifications should not be persisted. An invalid or unrecognized dryRun directive will \
     result in an error response and no further processing of the request. Valid values are: - All: all dry run stages \
     will be processed",
);
const FIELD_MANAGER: Parameter = text(
    "fieldManager",
    "fieldManager is a name associated with the actor or entity that is making these changes. The value must be less than \
     or 128 characters long, and only contain printable characters, as defined by \
     https://golang.org/pkg/unicode/#IsPrint.",
);
const FIELD_VALIDATION: Parameter = text(
    "fieldValidation",
    "fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) containing unknown or \
     duplicate fields. Valid values are: - Ignore: This will ignore any unknown fields that are silently dropped from the \
     object, and will ignore all but the last duplicate field that the decoder encounters. This is the default behavior \
     prior to v1.23. - Warn: This will send a warning via the standard warning response header for each unknown field that \
     is dropped from the object, and for each duplicate field that is encountered. The request will still succeed if there \
     are no other errors, and will only persist the last of any duplicate fields. This is the default in v1.23+ - Strict: \
     This will fail the request with a BadRequest error if any unknown fields would be dropped from the object, or if any \
     duplicate fields are present. The error returned from the server will contain all unknown and duplicate fields \
     encountered.",
);

/// Of every write.
pub(super) const WRITE: &[Parameter] = &[DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];

const CONTINUE: Parameter = text(
    "continue",
    "The continue option should be set when retrieving more results from the server. Since this value is server defined, \
     clients may only use the continue value from a previous query result with identical query parameters (except for the \
     value of continue) and the server may reject a continue value it does not recognize.",
);
const FIELD_SELECTOR: Parameter = text(
    "fieldSelector",
    "A selector to restrict the list of returned objects by their fields. Defaults to everything.",
);
const LABEL_SELECTOR: Parameter = text(
    "labelSelector",
    "A selector to restrict the list of returned objects by their labels. Defaults to everything.",
);
const LIMIT: Parameter = number(
    "limit",
    "limit is a maximum number of responses to return for a list call. If more items exist, the server will set the \
     `continue` field on the list metadata to a value that can be used with the same initial query to retrieve the next \
     set of results.",
);
const RESOURCE_VERSION: Parameter = text(
    "resourceVersion",
    "resourceVersion sets a constraint on what resource versions a request may be served from. See \
     https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions for details.\n\nDefaults to unset",
);
const RESOURCE_VERSION_MATCH: Parameter = text(
    "resourceVersionMatch",
    "resourceVersionMatch determines how resourceVersion is applied to list calls. It is highly recommended that \
     resourceVersionMatch be set for list calls where resourceVersion is set See \
     https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions for details.\n\nDefaults to unset",
);
const SEND_INITIAL_EVENTS: Parameter = flag(
    "sendInitialEvents",
    "`sendInitialEvents=true` may be set together with `watch=true`. In that case, the watch stream will begin with \
     synthetic events to produce the current state of objects in the collection. Once all such events have been sent, a \
     synthetic \"Bookmark\" event  will be sent.",
);
const TIMEOUT: Parameter = number(
    "timeoutSeconds",
    "Timeout for the list/watch call. This limits the duration of the call, regardless of any activity or inactivity.",
);

/// Of lists and of watches.
pub(super) const LIST: &[Parameter] = &[
    flag(
        "allowWatchBookmarks",
        "allowWatchBookmarks requests watch events with type \"BOOKMARK\". Servers that do not implement bookmarks may \
         ignore this flag and bookmarks are sent at the server's discretion. Clients should not assume bookmarks are \
         returned at any specific interval, nor may they assume the server will send any BOOKMARK event during a session. \
         If this is not a watch, then this field is ignored.",
    ),
    CONTINUE,
    FIELD_SELECTOR,
    LABEL_SELECTOR,
    LIMIT,
    RESOURCE_VERSION,
    RESOURCE_VERSION_MATCH,
    SEND_INITIAL_EVENTS,
    TIMEOUT,
    flag(
        "watch",
        "Watch for changes to the described resources and return them as a stream of add, update, and remove \
         notifications. Specify resourceVersion.",
    ),
];

const GRACE_PERIOD: Parameter = number(
    "gracePeriodSeconds",
    "The duration in seconds before the object should be deleted. Value must be non-negative integer. The value zero \
     indicates delete immediately. If this value is nil, the default grace period for the specified type will be used. \
     Defaults to a per object value if not specified. zero means delete immediately.",
);
const ORPHAN_DEPENDENTS: Parameter = flag(
    "orphanDependents",
    "Deprecated: please use the PropagationPolicy, this field will be deprecated in 1.7. Should the dependent objects be \
     orphaned. If true/false, the \"orphan\" finalizer will be added to/removed from the object's finalizers list. Either \
     this field or PropagationPolicy may be set, but not both.",
);
const PROPAGATION_POLICY: Parameter = text(
    "propagationPolicy",
    "Whether and how garbage collection will be performed. Either this field or OrphanDependents may be set, but not both. \
     The default policy is decided by the existing finalizer set in the metadata.finalizers and the resource-specific \
     default policy. Acceptable values are: 'Orphan' - orphan the dependents; 'Background' - allow the garbage collector to \
     delete the dependents in the background; 'Foreground' - a cascading policy that deletes all dependents in the \
     foreground.",
);
const IGNORE_READ_ERROR: Parameter = flag(
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "if set to true, it will trigger an unsafe deletion of the resource in case the normal deletion flow fails with a \
     corrupt object error.",
);

pub(super) const DELETE: &[Parameter] =
    &[DRY_RUN, GRACE_PERIOD, IGNORE_READ_ERROR, ORPHAN_DEPENDENTS, PROPAGATION_POLICY];

pub(super) const DELETE_COLLECTION: &[Parameter] = &[
    CONTINUE,
    DRY_RUN,
    FIELD_SELECTOR,
    GRACE_PERIOD,
    IGNORE_READ_ERROR,
    LABEL_SELECTOR,
    LIMIT,
    ORPHAN_DEPENDENTS,
    PROPAGATION_POLICY,
    RESOURCE_VERSION,
    RESOURCE_VERSION_MATCH,
    SEND_INITIAL_EVENTS,
    TIMEOUT,
];

pub(super) const LOG: &[Parameter] = &[
    text(
        "container",
        "The container for which to stream logs. Defaults to only container if there is one container in the pod.",
    ),
    flag("follow", "Follow the log stream of the pod. Defaults to false."),
    flag(
        "insecureSkipTLSVerifyBackend",
        "insecureSkipTLSVerifyBackend indicates that the apiserver should not confirm the validity of the serving \
         certificate of the backend it is connecting to.",
    ),
    number(
        "limitBytes",
        "If set, the number of bytes to read from the server before terminating the log output. This may not display a \
         complete final line of logging, and may return slightly more or slightly less than the specified limit.",
    ),
    flag("previous", "Return previous terminated container logs. Defaults to false."),
    number(
        "sinceSeconds",
        "A relative time in seconds before the current time from which to show logs. If this value precedes the time a pod \
         was started, only logs since the pod start will be returned. If this value is in the future, no logs will be \
         returned. Only one of sinceSeconds or sinceTime may be specified.",
    ),
    text(
        "stream",
        "Specify which container log stream to return to the client. Acceptable values are \"All\", \"Stdout\" and \
         \"Stderr\". If not specified, \"All\" is used, and both stdout and stderr are returned interleaved.",
    ),
    number(
        "tailLines",
        "If set, the number of lines from the end of the logs to show. If not specified, logs are shown from the creation \
         of the container or sinceSeconds or sinceTime.",
    ),
    flag(
        "timestamps",
        "If true, add an RFC3339 or RFC3339Nano timestamp at the beginning of every line of log output. Defaults to false.",
    ),
];

const CONTAINER: Parameter = text(
    "container",
    "Container in which to execute the command. Defaults to only container if there is only one container in the pod.",
);
const STDERR: Parameter = flag("stderr", "Redirect the standard error stream of the pod for this call.");
const STDIN: Parameter =
    flag("stdin", "Redirect the standard input stream of the pod for this call. Defaults to false.");
const STDOUT: Parameter = flag("stdout", "Redirect the standard output stream of the pod for this call.");
const TTY: Parameter =
    flag("tty", "TTY if true indicates that a tty will be allocated for the exec call. Defaults to false.");

pub(super) const EXEC: &[Parameter] = &[
    text("command", "Command is the remote command to execute. argv array. Not executed within a shell."),
    CONTAINER,
    STDERR,
    STDIN,
    STDOUT,
    TTY,
];

pub(super) const ATTACH: &[Parameter] = &[CONTAINER, STDERR, STDIN, STDOUT, TTY];

pub(super) const PORT_FORWARD: &[Parameter] =
    &[number("ports", "List of ports to forward Required when using WebSockets")];

pub(super) const PROXY: &[Parameter] = &[text(
    "path",
    "Path is the part of URLs that include service endpoints, suffixes, and parameters to use for the current proxy \
     request.",
)];
