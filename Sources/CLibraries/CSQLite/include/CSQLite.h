#pragma once
#include <sqlite3.h>

// Binds that copy what they are given: SQLITE_TRANSIENT is a cast that Swift cannot write.
int omni_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length);
int omni_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length);
