// Answers, for JSON lines {"pattern": …, "text": …}, where Go's regexp finds the pattern: [begin, end]
// of the match and of each named group in characters, null where there is none.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"unicode/utf8"
)

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for decoder.More() {
		var asked struct{ Pattern, Text string }
		if err := decoder.Decode(&asked); err != nil {
			panic(err)
		}
		compiled, err := regexp.Compile(asked.Pattern)
		if err != nil {
			_ = encoder.Encode(map[string]string{"error": err.Error()})
			continue
		}
		var spans [][]int
		found := compiled.FindStringSubmatchIndex(asked.Text)
		for i, name := range compiled.SubexpNames() {
			if found != nil && (i == 0 || name != "") {
				spans = append(spans, span(asked.Text, found[2*i], found[2*i+1]))
			}
		}
		_ = encoder.Encode(map[string][][]int{"spans": spans})
	}
}

func span(text string, begin, end int) []int {
	if begin < 0 {
		return nil
	}
	return []int{utf8.RuneCountInString(text[:begin]), utf8.RuneCountInString(text[:end])}
}
