# Atoll from inside a machine, for R: governed SQL on the data that the project was granted.
#
#   frame <- atoll_sql("select * from ward.patients limit 10")
#
# No password is asked: the machine speaks for its owner in its project, and every query
# is on record and has a price. Base R is all it needs.

atoll_sql <- local({
  # A query may work long before its first row.
  wait_seconds <- 3600

  json_text <- function(text) {
    text <- enc2utf8(text)
    text <- gsub("\\", "\\\\", text, fixed = TRUE)
    text <- gsub("\"", "\\\"", text, fixed = TRUE)
    text <- gsub("\n", "\\n", text, fixed = TRUE)
    text <- gsub("\r", "\\r", text, fixed = TRUE)
    text <- gsub("\t", "\\t", text, fixed = TRUE)
    paste0("\"", gsub("[[:cntrl:]]", " ", text), "\"")
  }

  address <- function() {
    url <- Sys.getenv("ATOLL_GATEWAY", Sys.getenv("ATOLL_URL", "http://127.0.0.1:3141"))
    parts <- regmatches(url, regexec("^http://([^/:]+)(:([0-9]+))?/*$", url))[[1L]]
    if (length(parts) == 0L) stop("ATOLL_GATEWAY is no address like http://127.0.0.1:3141", call. = FALSE)
    list(host = parts[[2L]], port = if (nzchar(parts[[4L]])) as.integer(parts[[4L]]) else 80L)
  }

  broken <- function() stop("The answer broke off. Ask again, for less if it was large.", call. = FALSE)

  take <- function(connection, size) {
    parts <- list()
    while (size > 0) {
      part <- readBin(connection, "raw", min(size, 2^20))
      if (length(part) == 0L) broken()
      parts[[length(parts) + 1L]] <- part
      size <- size - length(part)
    }
    do.call(c, c(list(raw()), parts))
  }

  line <- function(connection) {
    found <- readLines(connection, n = 1L, warn = FALSE)
    if (length(found) == 0L) broken()
    sub("\r$", "", found)
  }

  # Pieces of the chunked coding; only its own last piece ends an answer that is whole.
  chunks <- function(connection) {
    parts <- list()
    repeat {
      head <- sub(";.*", "", line(connection))
      if (!grepl("^[0-9A-Fa-f]{1,8}$", head)) broken()
      size <- as.numeric(paste0("0x", head))
      if (size == 0) return(do.call(c, c(list(raw()), parts)))
      parts[[length(parts) + 1L]] <- take(connection, size)
      line(connection)
    }
  }

  post <- function(path, body) {
    to <- address()
    connection <- tryCatch(
      suppressWarnings(socketConnection(to$host, to$port, open = "r+b", blocking = TRUE, timeout = wait_seconds)),
      error = function(e) stop("The platform cannot be reached.", call. = FALSE)
    )
    on.exit(close(connection))
    bytes <- charToRaw(body)
    head <- paste0(
      "POST ", path, " HTTP/1.1\r\nHost: ", to$host, ":", to$port, "\r\nContent-Type: application/json\r\n",
      "Accept-Encoding: identity\r\nConnection: close\r\nContent-Length: ", length(bytes), "\r\n\r\n"
    )
    writeBin(c(charToRaw(head), bytes), connection)
    status <- as.integer(sub("^HTTP/1\\.[01] ([0-9]{3}).*", "\\1", line(connection)))
    headers <- character()
    while (nzchar(text <- line(connection))) headers <- c(headers, tolower(text))
    size <- sub("^content-length: *", "", grep("^content-length:", headers, value = TRUE))
    chunked <- any(grepl("^transfer-encoding:.*chunked", headers))
    # Without either the end cannot be told from a break.
    if (!chunked && length(size) != 1L) broken()
    list(status = status, body = if (chunked) chunks(connection) else take(connection, as.numeric(size)))
  }

  told <- function(body, field) {
    text <- rawToChar(body)
    Encoding(text) <- "UTF-8"
    pattern <- paste0("\"", field, "\" *: *\"(([^\"\\\\]|\\\\.)*)\"")
    found <- regmatches(text, regexec(pattern, text))[[1L]]
    if (length(found) == 0L) return("")
    gsub("\\\\(.)", "\\1", gsub("\\n", " ", found[[2L]], fixed = TRUE))
  }

  # Which fields are texts is told by their quotes, and an empty one without is no value:
  # so a code like 007 stays what it is.
  fields <- function(body) {
    quotes <- cumsum(body == as.raw(0x22)) %% 2L
    ends <- which((body == as.raw(0x2c) | body == as.raw(0x0a)) & quotes == 0L)
    starts <- c(1L, ends[-length(ends)] + 1L)
    list(quoted = body[starts] == as.raw(0x22), missing = starts == ends)
  }

  typed <- function(text, quoted) {
    held <- text[!is.na(text)]
    if (quoted) return(text)
    if (length(held) == 0L) return(as.logical(text))
    every <- function(pattern) all(grepl(pattern, held))
    if (every("^(true|false)$")) return(text == "true")
    if (every("^-?[0-9]{1,9}$")) return(as.integer(text))
    if (every("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")) return(as.Date(text))
    if (every("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z?$")) {
      return(as.POSIXct(sub("Z$", "", text), format = "%Y-%m-%d %H:%M:%OS", tz = "UTC"))
    }
    numbers <- suppressWarnings(as.numeric(text))
    if (any(is.na(numbers) & !is.nan(numbers) & !is.na(text))) text else numbers
  }

  frame <- function(body) {
    if (length(body) == 0L) return(data.frame())
    # A last line without its end has one all the same.
    if (body[[length(body)]] != as.raw(0x0a)) body <- c(body, as.raw(0x0a))
    found <- fields(body)
    file <- tempfile("atoll")
    on.exit(unlink(file))
    writeBin(body, file)
    read <- read.csv(
      file,
      colClasses = "character", na.strings = character(), check.names = FALSE, blank.lines.skip = FALSE,
      encoding = "UTF-8", stringsAsFactors = FALSE
    )
    width <- ncol(read)
    quoted <- matrix(found$quoted, nrow = width)[, -1L, drop = FALSE]
    missing <- matrix(found$missing, nrow = width)[, -1L, drop = FALSE]
    for (column in seq_len(width)) {
      text <- read[[column]]
      text[missing[column, ]] <- NA_character_
      read[[column]] <- typed(text, any(quoted[column, ]))
    }
    read
  }

  function(sql) {
    if (!is.character(sql) || length(sql) != 1L || is.na(sql)) stop("sql is one text", call. = FALSE)
    project <- Sys.getenv("ATOLL_PROJECT")
    body <- paste0(
      "{\"sql\":", json_text(sql), ",\"format\":\"csv\"",
      if (nzchar(project)) paste0(",\"project\":", json_text(project)), "}"
    )
    answer <- post("/api/v1/queries", body)
    if (answer$status != 200L) {
      parts <- c(told(answer$body, "message"), told(answer$body, "where"), told(answer$body, "todo"))
      said <- paste(c(parts[1L], if (nzchar(parts[2L])) paste0("(", parts[2L], ")"), parts[3L]), collapse = " ")
      stop(if (nzchar(parts[1L])) trimws(said) else paste("The platform refuses, HTTP", answer$status), call. = FALSE)
    }
    frame(answer$body)
  }
})
