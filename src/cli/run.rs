use actix_web::web;
use anyhow::Context;
use clap::Args;
use qingfeng_bot::{Bot, BotSettings, Reviewing};
use tokio_util::sync::CancellationToken;

use crate::{
    Application, Config, demo, http,
    sealed_surveys::{self, OwnCosigner},
};

#[derive(Debug, Default, Args)]
pub(super) struct Run {
    /// Seed a fictitious township into an empty database and start the platform simulator beside it.
    #[arg(long)]
    demo: bool,
}

impl Run {
    pub(super) async fn execute(self, mut config: Config) -> anyhow::Result<()> {
        config.http.demo |= self.demo;
        // The demo's year is over before anybody could read its posts.
        config.bot.second_person &= !self.demo;
        if self.demo && config.wecom.robot_keys.is_empty() {
            demo::use_simulated_robot(&mut config);
        }
        if self.demo && config.official_account.is_none() {
            demo::use_simulated_account(&mut config);
        }
        if self.demo {
            demo::use_simulated_corporation(&mut config);
        }
        let listener = std::net::TcpListener::bind(&config.http.bind)
            .with_context(|| format!("cannot listen on {}", config.http.bind))?;
        let box_listener = listen_for_the_box(&mut config)?;
        let simulator = if config.sandbox.embedded || self.demo {
            let running = demo::start_simulator(&config, self.demo)
                .with_context(|| format!("cannot start the simulator on {}", config.sandbox.bind))?;
            Some(running)
        } else {
            None
        };
        let surroundings = super::real_surroundings(&config);
        let authorities = if self.demo && config.ballots.cosigner_url.is_none() {
            Some(demo::Authorities::prepare(&mut config, surroundings.clock.clone()).await?)
        } else {
            None
        };
        let own_cosigner = OwnCosigner::start(&mut config, surroundings.clock).await.context("the own co-signer")?;
        let application = web::Data::new(Application::start_real(config).await?);
        if self.demo {
            demo::seed(&application).await?;
        }
        let authorities = match authorities {
            Some(authorities) => {
                Box::pin(demo::seed_surveys(&application, &authorities)).await.context("the demo's surveys")?;
                Some(authorities.start().await?)
            }
            None => None,
        };
        let stop = CancellationToken::new();
        let bot = if application.config.bot.embedded {
            let bot = bot(&application)?;
            let stop = stop.clone();
            Some(actix_web::rt::spawn(async move { bot.run(stop).await }))
        } else {
            None
        };
        let surveys = actix_web::rt::spawn(sealed_surveys::keep_going(application.clone(), stop.clone()));
        let box_server = match box_listener {
            Some(listener) => Some(http::ballot_box::serve(application.clone(), listener)?),
            None => None,
        };
        let box_handle = box_server.as_ref().map(actix_web::dev::Server::handle);
        let box_server = box_server.map(actix_web::rt::spawn);
        let quiet = qingfeng_bot::delivery::is_quiet_at(application.store.clock().now());
        announce(&application.config, self.demo, quiet);
        http::serve(application, listener)?.await?;
        stop.cancel();
        let _ = surveys.await;
        if let (Some(handle), Some(server)) = (box_handle, box_server) {
            handle.stop(true).await;
            let _ = server.await;
        }
        if let Some(own_cosigner) = own_cosigner {
            own_cosigner.stop().await;
        }
        if let Some(authorities) = authorities {
            authorities.stop().await;
        }
        if let Some(bot) = bot {
            let _ = bot.await;
        }
        if let Some(simulator) = simulator {
            simulator.stop().await;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// The box's own listener, where this process serves it. With port 0 a free one is taken, and phones are told of it.
fn listen_for_the_box(config: &mut Config) -> anyhow::Result<Option<std::net::TcpListener>> {
    let ballots = &mut config.ballots;
    if !ballots.box_embedded {
        return Ok(None);
    }
    let bind = &ballots.box_bind;
    let listener = std::net::TcpListener::bind(bind).with_context(|| format!("cannot listen on {bind}"))?;
    if bind.ends_with(":0") {
        ballots.box_public_url = format!("http://{}", listener.local_addr()?);
    }
    Ok(Some(listener))
}

/// The bot that the configuration describes.
pub(super) fn bot(application: &Application) -> anyhow::Result<Bot> {
    let config = &application.config;
    let reviewing = match (config.bot.second_person, config.http.demo) {
        (true, _) => Reviewing::SecondPerson,
        (false, false) => Reviewing::Rules,
        // The people of the demo are on no phone that the platform knows.
        (false, true) => Reviewing::RulesAlone,
    };
    let settings = BotSettings {
        template_failures: config.bot.template_failures,
        reviewing,
        public_url: config.http.public_url.clone(),
        platforms: application.config.platforms(),
    };
    Ok(Bot::new(
        application.store.clone(),
        application.cache.clone(),
        application.sealer.clone(),
        application.darkroom.clone(),
        settings,
    )?)
}

#[expect(clippy::print_stdout, reason = "tells the person at the keyboard where to click")]
fn announce(config: &Config, demo: bool, quiet: bool) {
    let address = &config.http.public_url;
    println!("\n清风已启动：{address}/");
    println!("  手机端（村民、干部）  {address}/app/");
    println!("  接口说明              {address}/docs/");
    if demo {
        println!("  模拟微信（群和手机）  http://{}/sandbox/", config.sandbox.bind);
        println!("  县里的联署人          {}/app/", config.ballots.cosigner_address());
        println!("  演示账号和动态码      {address}/   密码都是 {}", demo::PASSWORD);
        for (login, file) in demo::key_files(config) {
            println!("  {login} 的举报私钥  {}", file.display());
        }
        if quiet {
            println!("  现在是免打扰时间（21:00–8:00），消息会等到早上再发。");
        }
        println!("按 Ctrl+C 停止。\n");
    }
}
