"""The words in which programs and runtimes tell what fails: the most telling kind first; the first that fits.

`peer` and `port` are whom a line names. Those of variables mind the case, all others do not.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "forbidden",
    "dns",
    "connection",
    "timeout",
    "auth",
    "certificate",
    "memory",
    "limit",
    "variable",
    "port",
    "disk",
    "readonly",
    "permission",
    "architecture",
    "library",
    "command",
    "usage",
    "syntax",
    "file",
    "config",
    "panic",
    "exception",
    "http",
    "exit",
    "error",
]
"""From the most telling to the least."""

_HOST = r"[A-Za-z0-9](?:[\w.-]*[\w])?"
_ADDRESS = rf"(?P<peer>{_HOST}|\[[0-9a-fA-F:]+\])(?::(?P<port>\d{{2,5}}))?"

PATTERNS: tuple[tuple[Kind, str], ...] = (
    (
        "auth",
        r"(?:password|peer|ident|sasl|scram|ldap|user) authentication failed|access denied for user|"
        r"no pg_hba\.conf entry|role \"[^\"]+\" does not exist",
    ),
    (
        "dns",
        rf"(?:connecting|connect|connection) to (?P<peer>{_HOST})(?::\d+)?[.:,]? .{{0,60}}?"
        r"(?:name or service not known|temporary failure in name resolution|name does not resolve|nodename "
        r"nor servname)",
    ),
    (
        "connection",
        rf"connection to server at \"(?P<peer>{_HOST})\" \([^)]*\), port (?P<port>\d+) failed: (?:connection "
        r"refused|no route)",
    ),
    (
        "connection",
        rf"\w+://(?:[^/@\s\"]*@)?{_ADDRESS}[^\s\"]*\"?: dial tcp [\d.:]+: (?:connect: )?(?:connection "
        r"refused|no route|connection reset)",
    ),
    (
        "timeout",
        rf"\w+://(?:[^/@\s\"]*@)?{_ADDRESS}[^\s\"]*\"?: dial tcp [\d.:]+: (?:i/o timeout|connect: connection "
        r"timed out)",
    ),
    ("connection", r"upstream connect error|communications link failure"),
    ("dns", rf"unknown (?:mysql )?server host ['\"](?P<peer>{_HOST})['\"]"),
    ("dns", rf"unable to resolve host address ['\"](?P<peer>{_HOST})"),
    (
        "connection",
        rf"(?:refused|unreachable|reset|no route to host).{{0,200}}?upstream: \"\w+://{_ADDRESS}",
    ),
    ("timeout", rf"timed out.{{0,200}}?upstream: \"\w+://{_ADDRESS}"),
    (
        "connection",
        rf"(?P<peer>{_HOST})/\d+\.\d+\.\d+\.\d+:(?P<port>\d+)\)? (?:could not be established|failed|refused)",
    ),
    (
        "connection",
        rf"connection refused:? (?:\(?connection refused\)? )?(?P<peer>{_HOST})/\d+\.\d+\.\d+\.\d+:(?P<port>\d+)",
    ),
    (
        "connection",
        rf"(?P<peer>{_HOST}):(?P<port>\d{{2,5}}): (?:\[errno -?\d+\] )?(?:connection refused|no route to "
        r"host|connection reset)",
    ),
    (
        "timeout",
        rf"(?P<peer>{_HOST}):(?P<port>\d{{2,5}}): (?:\[errno -?\d+\] )?(?:timed out|connection timed out|i/o timeout)",
    ),
    (
        "forbidden",
        r'is forbidden: User "(?P<peer>[^"]+)" cannot|cannot (?:list|get|watch|create|update|patch|delete) resource "',
    ),
    ("dns", rf"lookup (?P<peer>{_HOST})(?: on [\d.:]+)?: (?:no such host|server misbehaving|i/o timeout|read udp)"),
    (
        "dns",
        r"(?:could not resolve|couldn't resolve|cannot resolve|can't resolve|unable to resolve|failed to "
        r"resolve)(?: the)?(?: host(?:name)?| proxy| address)?[ :]*['\"]?(?!(?:placeholder|dependenc|import|type|"
        r"symbol|module|reference|path|property|bean|conflict|view|version|plugin|package|artifact|revision|variable|"
        r"class|ref)"
        rf"\w*\b)(?P<peer>{_HOST})",
    ),
    ("dns", rf"(?:getaddrinfo|queryA) (?:ENOTFOUND|EAI_AGAIN) (?P<peer>{_HOST})"),
    ("dns", rf"(?:unknownhostexception|unknown host|bad address)[: ]+['\"]?(?P<peer>{_HOST})"),
    (
        "dns",
        rf"(?:server can't find|can't find|not found in upstream|host not found in upstream) ['\"]?(?P<peer>{_HOST})",
    ),
    (
        "dns",
        rf"host(?:name)?[='\" :]+(?P<peer>{_HOST})['\" ,].{{0,240}}(?:name or service not known|temporary "
        r"failure in name resolution|nodename nor servname|name resolution|failed to resolve)",
    ),
    (
        "dns",
        r"(?:name or service not known|temporary failure in name resolution|name does not resolve|NXDOMAIN|"
        rf"no address associated with hostname)(?:.{{0,40}}?['\"](?P<peer>{_HOST})['\"])?",
    ),
    ("dns", rf"could not translate host name ['\"](?P<peer>{_HOST})['\"]"),
    (
        "connection",
        rf"dial tcp (?:{_ADDRESS}).{{0,80}}?(?:connection refused|no route to host|network is unreachable|"
        r"connection reset)",
    ),
    ("timeout", rf"dial tcp (?:{_ADDRESS}).{{0,80}}?(?:timeout|timed out|deadline)"),
    ("connection", rf"(?:econnrefused|econnreset|ehostunreach)[ :]+(?:{_ADDRESS})"),
    ("timeout", rf"etimedout[ :]+(?:{_ADDRESS})"),
    (
        "connection",
        rf"host='(?P<peer>{_HOST})', port=(?P<port>\d+).{{0,240}}?(?:refused|unreachable|reset|newconnectionerror)",
    ),
    ("timeout", rf"host='(?P<peer>{_HOST})', port=(?P<port>\d+).{{0,240}}?(?:timed out|timeout)"),
    ("connection", rf"failed to connect to (?P<peer>{_HOST}) port (?P<port>\d+)"),
    (
        "connection",
        r"(?:connection to|connecting to|connect to|connect failed to|could not connect to(?: server at)?|"
        r"can't connect to|cannot connect to|unable to connect to|failed to connect to|unable to reach|"
        r"failed to reach|cannot reach|could not reach)(?: the)?(?: remote)?(?: server| host| database| backend| "
        rf"upstream| endpoint| mysql server on)*(?: at)? ['\"(]?(?:\w+://)?(?:[^/@\s]*@)?(?:{_ADDRESS})",
    ),
    (
        "timeout",
        r"(?:connection timed? ?out|connection timeout|timed? ?out)(?: while)?(?: connecting)?(?: to| "
        rf"waiting for| for)[ :]*['\"]?(?:\w+://)?(?:{_ADDRESS})",
    ),
    (
        "connection",
        rf"(?:\w+://)(?:[^/@\s]*@)?(?:{_ADDRESS})[^\s]*.{{0,100}}?(?:connection refused|refused|unreachable|"
        r"connection reset)",
    ),
    ("timeout", rf"(?:\w+://)(?:[^/@\s]*@)?(?:{_ADDRESS})[^\s]*.{{0,100}}?(?:timed out|timeout)"),
    (
        "connection",
        rf"(?:{_ADDRESS})[:,]? (?:connection refused|connect: connection refused|connection reset by peer|no "
        r"route to host|host is unreachable)",
    ),
    (
        "connection",
        r"connection refused|econnrefused|connection reset by peer|no route to host|connect\(\) failed|no "
        r"healthy upstream",
    ),
    (
        "timeout",
        r"connection timed out|download timed out|i/o timeout|context deadline exceeded|connect timeout|"
        r"operation timed out|etimedout|read timed out|upstream timed out|connect timed out|sockettimeout",
    ),
    (
        "certificate",
        r"x509: |certificate (?:has expired|verify failed|signed by unknown|is not valid|required)|"
        r"ssl(?:_error|handshakeexception)|tls: (?:failed|bad|handshake)|certificate expired",
    ),
    (
        "auth",
        r"authentication failed|auth(?:entication)? (?:error|failure)|access denied for user|password "
        r"authentication failed|noauth|wrongpass|invalid (?:credentials|password|api key|token)|login "
        r"failed|not authorized|unauthorized\b|role \"[^\"]+\" does not exist|authorization failed",
    ),
    (
        "memory",
        r"outofmemoryerror|out of memory|cannot allocate memory|heap out of memory|memoryerror|"
        r"std::bad_alloc|oom-?kill|runtime: out of memory",
    ),
    (
        "limit",
        r"rate limit|too many requests|\b429\b|quota exceeded|too many connections|max_connections|"
        r"remaining connection slots|"
        r"(?:connection )?pool (?:is )?(?:exhausted|timeout|limit|full)|no available connections|queuepool limit|"
        r"unable to acquire (?:a )?connection|resource temporarily unavailable|too many open files|emfile",
    ),
    ("variable", r"\b(?P<peer>[A-Z][A-Z0-9]*_?[A-Z0-9_]+) (?i:env(?:ironment)?[ _]?var(?:iable)?)"),
    (
        "variable",
        r"(?i:env(?:ironment)?[ _]?var(?:iable)?s?)[ "
        r":]*['\"`$]?(?P<peer>[A-Z_][A-Z0-9_]*)?['\"`]?.{0,30}?(?i:undefined|missing|not set|unset|not "
        r"defined|required|must be set|not found|empty|is not)",
    ),
    (
        "variable",
        r"['\"`$]?\b(?P<peer>[A-Z][A-Z0-9]*_[A-Z0-9_]+)['\"`]?:?.{0,25}?(?i:undefined|not set|\bunset|not "
        r"defined|is required|required|must be set|is missing|not found|unbound variable|no value|is empty|"
        r"not provided|not specified)",
    ),
    (
        "variable",
        r"(?i:missing|undefined|required|must set|must specify|please set|set the|need to set|expected)(?i: "
        r"required)?(?i: the)?(?i: config(?:uration)?)?(?i: env(?:ironment)?)?(?i: var(?:iable)?s?)?[ "
        r":]*['\"`$]?(?P<peer>[A-Z][A-Z0-9]*_[A-Z0-9_]+)",
    ),
    ("variable", r"KeyError: ['\"](?P<peer>[A-Z][A-Z0-9_]+)['\"]"),
    ("variable", r"(?i:you need to specify one of|database is uninitialized and (?:superuser )?password)"),
    (
        "port",
        r"address already in use|eaddrinuse|port (?P<port>\d+) is (?:already )?(?:in use|allocated)|"
        r"bind.{0,40}permission denied|only one usage of each socket",
    ),
    ("disk", r"no space left on device|disk full|enospc|disk quota exceeded"),
    ("readonly", r"read-only file ?system|erofs"),
    ("architecture", r"exec format error"),
    (
        "library",
        r"modulenotfounderror|no module named|cannot find module|importerror|classnotfoundexception|"
        r"noclassdeffounderror|error while loading shared libraries|cannot open shared object|could not "
        r"find or load main class|loaderror",
    ),
    (
        "command",
        r"(?:sh|bash|ash|/bin/sh|/bin/bash)?:? ?(?:line )?\d*:? ?(?P<peer>[\w./-]+): (?:command not found|"
        r"not found)\b|executable file not found|no such command",
    ),
    (
        "usage",
        r"unknown (?:flag|command|option|argument|subcommand|shorthand)|unrecognized (?:option|argument|"
        r"flag|command)|invalid (?:option|argument|flag)\b|flag provided but not defined|^usage:|unexpected "
        r"argument|illegal option|try '.*--help'",
    ),
    (
        "syntax",
        r"syntax ?error|indentationerror|unexpected (?:token|end of file|eof|identifier)|parse error|"
        r"unterminated quoted",
    ),
    (
        "file",
        r"no such file or directory|filenotfound|enoent|unable to access jarfile|cannot open (?:file|"
        r"config)|file not found|does not "
        r"exist: /|can't open|cannot find (?:the )?file",
    ),
    (
        "permission",
        r"permission denied|eacces|operation not permitted|eperm|accessdenied|must be run as root|requires root",
    ),
    (
        "config",
        r"could not resolve placeholder|"
        r"invalid config|config(?:uration)? (?:error|is invalid|file .{0,60}(?:invalid|error))|\[emerg\]|"
        r"failed to (?:load|parse|read|validate) (?:the )?config|unknown directive|unmarshal|yaml: |"
        r"json\.decoder|invalid character|bad config|missing required (?:field|key|setting|option|property)",
    ),
    (
        "panic",
        r"^panic:|panic: |panicked at|segmentation fault|sigsegv|sigabrt|core dumped|fatal error:|fatal signal|stack "
        r"overflow|assertion (?:failed|error)|runtime error:",
    ),
    (
        "exception",
        r"zerodivisionerror|(?:division|divide) by zero|traceback \(most recent call last\)|exception in "
        r"thread|unhandled(?:promise)?(?: rejection)?|uncaught|^\s*(?:[a-z_]\w*\.)*[A-Z]\w*(?:Error|"
        r"Exception)\b(?::|$)|caused by: |nullpointerexception",
    ),
    (
        "http",
        r"\b(?:http|status|statuscode|code)[/= :\w.]{0,12}\b(?P<port>50[0234])\b|internal server error|bad "
        r"gateway|service unavailable|gateway time-?out",
    ),
)
