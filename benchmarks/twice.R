# What every contender in R does: clock, memory, arrays, JSON lines; the twin of process.py and
# twice.py. Only base R is attached, so that a clock that starts here includes the import of the
# contender's own packages.

STARTED <- Sys.time()
SETS <- c("a", "b")

# Print one JSON line; the driver reads the last one, also of a process that it stopped.
tell <- function(record) {
  cat(jsonlite::toJSON(record, auto_unbox = TRUE, digits = NA, na = "null"), "\n", sep = "")
  flush(stdout())
}

# Peak resident memory of this process in MiB (Linux), the number that getrusage gives.
peak_mib <- function() {
  line <- grep("^VmHWM:", readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

# Versions of R, of its linear algebra and of packages.
versions <- function(packages) {
  blas <- basename(dirname(normalizePath(extSoftVersion()[["BLAS"]])))
  found <- lapply(packages, function(name) as.character(packageVersion(name)))
  c(list(R = paste(R.version$major, R.version$minor, sep = "."), BLAS = blas), setNames(found, packages))
}

# Attach packages without a word.
attach_all <- function(packages) {
  for (name in packages) suppressPackageStartupMessages(library(name, character.only = TRUE))
}

# Say what is installed: versions, or what is missing and why.
probe <- function(packages, jobs) {
  absent <- tryCatch({ attach_all(packages); NULL }, error = conditionMessage)
  if (!is.null(absent)) return(list(missing = absent))
  told <- list(versions = versions(packages), caches = FALSE)
  if (!is.null(jobs)) told$jobs <- as.list(jobs)
  told
}

# Read one array in NumPy's format: float64 or int32, of one dimension.
read_npy <- function(path) {
  file <- file(path, "rb")
  on.exit(close(file))
  readBin(file, "raw", 8)
  size <- readBin(file, "integer", 1, size = 2, signed = FALSE, endian = "little")
  header <- rawToChar(readBin(file, "raw", size))
  count <- as.integer(sub(".*\\(([0-9]+),\\).*", "\\1", header))
  readBin(file, if (grepl("<f8", header)) "double" else "integer", count)
}

# Write a matrix of doubles in NumPy's format, column after column.
write_npy <- function(array, path) {
  size <- paste(dim(array), collapse = ", ")
  header <- sprintf("{'descr': '<f8', 'fortran_order': True, 'shape': (%s), }", size)
  pad <- strrep(" ", (64 - (10 + nchar(header) + 1) %% 64) %% 64)
  header <- paste0(header, pad, "\n")
  file <- file(path, "wb")
  on.exit(close(file))
  writeBin(as.raw(c(0x93, utf8ToInt("NUMPY"), 1, 0)), file)
  writeBin(nchar(header), file, size = 2, endian = "little")
  writeBin(charToRaw(header), file)
  writeBin(as.vector(array), file)
}

# What a contender must know of a job: formula, family, link, columns, factors, slope.
about <- function(job) {
  told <- as.list(read.dcf(file.path(Sys.getenv("BENCH_DATA"), job, "about.dcf"))[1, ])
  told$columns <- strsplit(told$columns, " ")[[1]]
  told$factors <- strsplit(told$factors, " ")[[1]]
  told$text <- told$formula
  told$formula <- as.formula(told$text, env = globalenv())
  told
}

# Read one data set of a job as a data frame.
read_table <- function(job, set, told = about(job)) {
  path <- function(name) file.path(Sys.getenv("BENCH_DATA"), job, paste0(set, "-", name, ".npy"))
  table <- setNames(lapply(told$columns, function(name) read_npy(path(name))), told$columns)
  for (name in told$factors) table[[name]] <- factor(table[[name]])
  as.data.frame(table)
}

# Save matrices for judging, by name.
keep <- function(arrays) {
  folder <- Sys.getenv("BENCH_SAVE")
  if (folder == "") return(invisible())
  dir.create(folder, showWarnings = FALSE)
  for (name in names(arrays)) {
    write_npy(arrays[[name]], file.path(folder, paste0(gsub("/", ":", name), ".npy")))
  }
}

# Run one contender from the command line: FILE JOB SEED, or FILE --probe.
#
# prepare: of what `about` tells, attaches packages and returns the function to be timed, of a data
#   frame; that returns a list with `estimates` (named numbers), `arrays` or `record`, and `note`.
main <- function(prepare, packages, jobs = NULL) {
  words <- commandArgs(trailingOnly = TRUE)
  if (identical(words[1], "--probe")) return(invisible(tell(probe(packages, jobs))))
  job <- words[1]
  seed <- as.integer(words[2])
  told <- about(job)
  work <- prepare(told)
  record <- list(job = job, seed = seed, import = as.numeric(Sys.time() - STARTED, units = "secs"))
  record$versions <- versions(packages)
  record$estimates <- list()
  fields <- c("first", "second")
  sets <- if (seed %% 2 == 1) SETS else rev(SETS)
  for (i in 1:2) {
    field <- fields[i]
    table <- read_table(job, sets[i], told)
    start <- Sys.time()
    cpu <- sum(proc.time()[c(1, 2, 4, 5)], na.rm = TRUE)
    result <- work(table)
    record[[field]] <- as.numeric(Sys.time() - start, units = "secs")
    record[[paste0(field, "_cpu")]] <- sum(proc.time()[c(1, 2, 4, 5)], na.rm = TRUE) - cpu
    if (i == 1) {
      record$epoch_stop <- as.numeric(Sys.time())
      record$wall_in_process <- record$epoch_stop - as.numeric(STARTED)
      record$peak_mib <- peak_mib()
    }
    if (!is.null(result$note)) {
      notes <- unique(c(record$note, result$note))
      record$note <- paste(notes[nzchar(notes)], collapse = "; then: ")
    }
    for (name in names(result$record)) record[[paste0(field, "_", name)]] <- result$record[[name]]
    if (!is.null(result$estimates)) record$estimates[[sets[i]]] <- as.list(result$estimates)
    saved <- result$arrays
    if (length(saved)) keep(setNames(saved, paste0(sets[i], "-", names(saved))))
    tell(record)
  }
}
