package dataset

import _ "github.com/google/uuid"
