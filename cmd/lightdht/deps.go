package main

import _ "github.com/vbauerster/mpb/v8"
