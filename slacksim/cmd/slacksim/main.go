// Command slacksim serves a simulated Slack workspace with a few people and channels, for trying an app by
// hand or with another Slack client.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/watchbill/watchbill/slacksim"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "slacksim:", err)
		os.Exit(1)
	}
}

func run() error {
	var opt slacksim.Options
	listen := flag.String("listen", "127.0.0.1:8065", "loopback `address` to serve on")
	list := flag.Bool("assumptions", false, "print what the simulator assumes about Slack, and exit")
	manifest := flag.String("manifest", "manifest.yaml", "`file` with the app's manifest")
	flag.StringVar(&opt.StateFile, "state", "", "`file` that keeps people and messages over a restart")
	flag.StringVar(&opt.BotToken, "bot-token", "xoxb-sim", "bot token to accept")
	flag.StringVar(&opt.AppToken, "app-token", "xapp-sim", "app-level token to accept")
	flag.StringVar(&opt.Enterprise, "enterprise", "", "id of the organisation that the workspace belongs to, as on Enterprise Grid")
	flag.BoolVar(&opt.Limits, "limits", false, "enforce the rate limits")
	flag.Parse()
	if *list {
		for _, line := range slacksim.Assumptions() {
			fmt.Println("unverified:", line)
		}
		return nil
	}
	text, err := os.ReadFile(*manifest)
	if err != nil {
		return err
	}
	if opt.Manifest, err = slacksim.ParseManifest(string(text)); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	sim := slacksim.New(opt)
	people(sim)
	base, err := sim.Start(*listen)
	if err != nil {
		return err
	}
	fmt.Printf("page     %s/\nAPI      %s/api/\n", base, base)
	<-ctx.Done()
	return sim.Close()
}

// people fills an empty workspace.
func people(sim *slacksim.Sim) {
	if _, filled := sim.FindChannel("#general"); filled {
		return
	}
	everybody := []string{slacksim.BotUserID}
	for _, u := range []slacksim.User{
		{ID: "U0ANN", Name: "ann", RealName: "Ann Example", Email: "ann@example.com", TZ: "Europe/Berlin"},
		{ID: "U0BO", Name: "bo", RealName: "Bo Example", Email: "bo@example.com", TZ: "America/New_York"},
		{ID: "U0CY", Name: "cy", RealName: "Cy Example", Email: "cy@example.com", TZ: "Asia/Tokyo"},
		{ID: "U0DI", Name: "di", RealName: "Di Example", Email: "di@example.com", TZ: "UTC"},
	} {
		everybody = append(everybody, sim.AddUser(u))
	}
	sim.AddChannel(slacksim.Channel{ID: "C0GENERAL", Name: "general", Members: everybody})
	sim.AddChannel(slacksim.Channel{ID: "C0OPS", Name: "ops", Members: everybody, Topic: "Incidents and on-call"})
}
