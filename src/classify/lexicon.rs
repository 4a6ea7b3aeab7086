//! Words that speak for a category, in the languages receipts come in.
//!
//! Written by hand; no corpus text. Entries are folded (lower case, no accents). A plain entry matches whole
//! words, `word*` the start of a word, `*word*` any place. Chinese and Japanese entries match any place. In a
//! merchant's name, which is often printed or read without spaces, entries of [`LOOSE_CHARS`] or more match any place.

use crate::classify::text::Folded;

/// From this length on a word is unlikely to be inside another by chance.
pub const LOOSE_CHARS: usize = 5;
/// A number may follow a word of this length without a space; shorter ones are codes (`a4`, `e10`).
const GLUED_NUMBER_CHARS: usize = 4;
/// The same inside recognised lines, where words are often glued together.
const LOOSE_LINE_CHARS: usize = 7;

/// Category code and its words, separated by `,`.
pub const WORDS: &[(&str, &str)] = &[
    (
        "meals",
        "pie,pies,padthai,pad thai,tomyum,tom yum,kow pad,chicken chop,fish n chips,fish and chips,spring roll*,fried noodle*,white coffee,barley,ice kacang,rojak,char kway,popiah,yong tau foo,claypot,hot plate,ensalada*,solomillo*,descafeinado*,cortado,cafe con leche,comensal*,cubierto*,postre*,bebida*,cerveza*,cervesa*,bocadillo*,tortilla*,calamares,croqueta*,jamon,cafe creme,cafe expresso,cafe noir,chocolat chaud,entrecote,plat du jour,formule,carafe,leffe,kriek,hoegaarden,quatre saisons,quattro stagioni,capricciosa,margherita,prosciutto,antipast*,insalata*,birra,cappuccini,acqua frizzante,acqua naturale,chef special,essen trinken,*speisen*,kase spatzle,weissbier,export bier,cheesecake*,apfelstrudel,gulasch*,maultaschen,dinein,table number,tableno,server name,no of guests,order type dine,\
         restaurant*,restoran*,restaurante*,ristorante*,trattoria*,osteria*,pizzeria*,*pizza*,cafe*,*cafeteria*,*kaffee*,caffe*,coffee*,kaffee*,kopitiam,\
         kopi,bistro*,brasserie*,*grill*,diner,dining,dinner,lunch,breakfast,buffet,tavern*,pub,bar,brewery,brewpub,brauhaus,biergarten,\
         gasthaus*,gasthof*,gaststatte*,wirtshaus*,*stubli*,*stube,imbiss*,backerei*,*backerei*,konditorei*,confiserie*,confiseur*,confectionery,\
         bakery,bakeries,bakehouse,boulangerie*,patisserie*,bagel*,donut*,cake,cakes,creperie*,gelato*,gelateria*,icecream,ice cream,\
         kitchen*,kitchenette,kueche,eatery,cuisine,canteen,kantine,mensa,cafeteria,food court,seafood,*steakhouse*,steak*,burger*,\
         *sushi*,*ramen*,noodle*,thai,table,tbl,chk,guest,waitress,hostess,dine in,dinein,eat in,takeout,tip,tips,suggested tip,suggested gratuity,guest check,guest copy,\
         kot,cheeseburger*,hamburger*,lemonade*,milk shake,ketchup,wings,ribeye,sirloin,calamari,guacamole,quesadilla*,nachos,burrito*,enchilada*,hummus,falafel,\
         naan,paneer,tikka,masala,biryani,biriani,dosa,samosa*,tandoori*,lassi,masala chai,mojito*,margarita*,guinness,heineken,prosecco,chardonnay,merlot,\
         cabernet,macchiato,mocha,frappuccino,hot chocolate,croissant*,muffin*,brownie*,waffle*,hash brown*,side salad,kids meal,happy meal,value meal,\
         char siew,siew,bak kut teh,wantan*,wonton*,hor fun,kway teow,nasi lemak,nasi kandar,teh o,teh c,kopi o,sirap,sirap bandung,air suam,kosong,kangkung,sambal,satay,rendang,\
         cendol,tom yam,tomyam,congee,porridge,dumpling*,fish ball*,set lunch,lunch set,set dinner,ala carte,a la carte,main course,starters,mains,\
         roasted,bingsu,gelateria,mineralwasser,apfelschorle*,spezi,cola light,rivella,ristretto,kaffee creme,milchkaffee,latte macchiato,hefeweizen,pils,helles,radler,\
         tageskarte menu,gericht*,beilage*,rahmschnitzel,cordon bleu,pouletbrust*,flammkuchen*,currywurst*,brotchen*,\
         taco*,taqueria*,cantina,bbq,*kebab*,doner*,curry,bubble tea,tea house,teahouse,drive thru,dine in,\
         takeaway,take away,take out,table no,table,tisch*,guests,covers,pax,coperto,server,waiter,kellner*,bedienung,hauptspeise*,\
         vorspeise*,nachspeise*,tagesmenu*,mittagsmenu*,menu,salat*,salad*,schnitzel*,pommes,suppe*,soup*,nasi,mee,roti,teh,milo,ayam,ikan,\
         espresso*,cappuccino*,latte*,americano,*apfelschorle*,weizen,*bier,beer,draft beer,wine,wein,vino,sandwich*,wrap,fries,dessert*,\
         gratuity,appetizer*,entree*,pasta,risotto*,f b,food n beverage,beverage*,food,foods,gourmet,*resto,deli,dimsum,dim sum,tapas,\
         creamery,scoop*,frozen yogurt,drive in,drivein*,chez,*cerveseria*,*cerveceria*,laksa,kuih,katsu,bento,spaghetti*,korean bbq,koreanbbq,goreng,fried rice,rice set,set meal,iced tea,ice tea,teh tarik,coke,soda,juice,milkshake*,smoothie*,\
         fried chicken,nuggets,combo,large fries,hotcakes,pancake*,omelet*,lasagn*,bolognese,carbonara,bruschetta,tiramisu,\
         rosti,bratwurst,spatzle,service charge,svc charge,bedienungsgeld,餐饮,餐厅,烤鱼,烤鸭,烤肉,烤串,串串,麻辣烫,水饺,饺子,馄饨,包子,馒头,粥,小面,米粉,拉面,捞面,米线,牛肉面,盖饭,煲仔饭,黄焖鸡,酸菜鱼,大排档,料理,西餐,茶点,茶楼,甜品,烘焙,饮品,涮肉,川菜,湘菜,粤菜,家常菜,餐,饭店,饭庄,酒楼,酒家,菜馆,小厨,私房菜,面馆,火锅,烧烤,\
         小吃,食府,食堂,餐馆,茶餐厅,咖啡,奶茶,面包,蛋糕,快餐,米饭,餐费,餐位费,茶位费,桌号,台号,人数,消费合计,点菜,\
         結帳,珈琲,そば,うどん,寿司,居酒屋,レストラン,定食",
    ),
    (
        "lodging",
        "*hotel*,hostel*,motel*,inn,lodge,lodging,resort*,*gasthaus zimmer*,pension,guesthouse*,guest house,homestay,albergo*,auberge*,\
         herberge*,jugendherberge*,*ubernachtung*,accommodation*,room charge,room rate,room no,room,rooms,night,nights,nacht,zimmer*,\
         doppelzimmer*,einzelzimmer*,logis,city tax,kurtaxe,taxe de sejour,folio,check out,checkout date,arrival,departure date,abreise,\
         anreise,double room,single room,suite,*apartment*,serviced apartment,住宿,房费,客房,宾馆,酒店,旅馆,旅店,民宿,招待所,\
         房号,入住,离店,退房,住宿费,大酒店,度假村,公寓,ホテル,旅館,宿泊",
    ),
    (
        "air",
        "flughafen*,airport express,airline*,airways,airlines,aviation,flight*,flug*,boarding*,airport tax,air ticket,e ticket,itinerary,passenger name,lufthansa*,\
         *airfare*,baggage fee,excess baggage,seat selection,fluggesellschaft*,compagnie aerienne,aereo,vol,economy class,\
         departure airport,fuel surcharge air,机票,航空,航班,航空运输,行程单,电子客票,燃油附加费,民航发展基金,登机,航空券,搭乗",
    ),
    (
        "rail",
        "rail,railway*,railways,train,trains,*bahnhof*,bahn,*fahrkarte bahn*,ice,intercity,eurocity,sncf*,gare,*bahnticket*,zugticket*,\
         zug,wagen,platform,coach,seat reservation,second class,2nd class,1st class,zweite klasse,2 klasse,1 klasse,billet train,biglietto treno,\
         treno,trenitalia*,tgv,high speed rail,railpass,fernverkehr*,deutsche bahn*,osterreichische bundesbahn*,sbb*,obb*,personenverkehr*,reisezentrum*,火车票,高铁,客运专线,铁路局,高速铁路,铁路,动车,车次,二等座,一等座,商务座,检票,铁路电子客票,\
         新幹線,乗車券,特急券,鉄道",
    ),
    (
        "taxi",
        "taxi,taxis,taxicab*,taxifahr*,taxiruf*,taxizentrale*,*funktaxi*,taxiservice*,taxibetrieb*,taxiunternehm*,taxi service,taxi fare,teksi*,radio cab,cab,cabs,minicab*,rideshare*,ride hailing,ride fare,trip fare,metered fare,meter fare,*taxameter*,taximeter*,chauffeur*,\
         limousine*,fahrpreis taxi,uber trip,driver,your ride,pick up,drop off,plate no,vehicle no,course taxi,\
         出租车,出租汽车,汽车出租,出租,汽车运输,运输有限公司,出租小汽车,的士,网约车,打车,滴滴,出行科技,快车,专车,客运服务费,上车,下车,里程,单价元公里,等候,\
         车号,燃油附加,タクシー",
    ),
    (
        "local_transport",
        "*metro ticket*,subway ticket*,metro station,underground,tube fare,bus,buses,*busticket*,tram,*strassenbahn*,*verkehrsverbund*,\
         verkehrsbetriebe*,transit*,day pass,tageskarte*,einzelfahrkarte*,einzelfahrt*,kurzstrecke*,monatskarte*,single ticket,fahrschein*,\
         fahrausweis*,public transport*,nahverkehr*,ferry,ferries,faehre,shuttle,rapid rail,lrt,mrt,token,zone,zonen,billet bus,titre de transport,\
         tickets t,car rental*,car hire,rent a car,mietwagen*,autovermietung*,rental days,bike share*,bicycle rental,scooter rental,car sharing,\
         carsharing*,verkehrsgesellschaft*,verkehrsgemeinschaft*,*hochbahn*,*stadtbahn*,*autovermietung,公交,地铁,单车,有轨电车,出租汽车租赁,巴士,公共汽车,轨道交通,轮渡,租车,共享单车,汽车租赁,客运站,長途汽車,電車,バス,レンタカー",
    ),
    (
        "fuel",
        "unleaded*,regular unl,super unl,premium unl,gallon*,gal,gals,price gal,pump no,pump,litres,ltr,liter,rm ltr,primax*,ron95,ron97,ron 95,ron 97,v power,euro 5 diesel,nozzle*,fuel sale,fuelsale,prepaid fuel,self serve,super 95,eurosuper,bleifrei*,sans plomb,gazole,gasolio,benzina,senza piombo,gasolina,fuel rewards,fuelrewards,fuel points,shell oil,petron*,petronas*,caltex,\
         *petrol*,petroleum,petrokiosk,gasoline*,gas station,fuel*,fuels,diesel*,benzin*,super e10,super e5,e10,bleifrei*,unleaded*,\
         ron95,ron97,ron 95,ron 97,v power,primax*,litre,litres,liter,gallon,gallons,price gal,pump,pump no,*zapfsaule*,saule,*tankstelle*,tank,getankt,\
         *carburant*,essence,gazole,sp95,sp98,station service,service station,servicestation*,gasstation*,fuelsave*,gas n go,gasoil,autogas,lpg,filling station,*benzina*,gasolio,distributore,\
         stesen minyak,charging station,ladestation*,kwh,ev charging,fuel sale,gas total,gastotal,price gal,ppg,ppu,unl,unl reg,reg unl,self serve,prepay fuel,*kraftstoff*,*stromtanken*,加油,汽油,充电站,新能源充电,石油天然气,柴油,加油站,石化,石油,油品,油枪,95号,92号,98号,充电服务,\
         充电桩,充电费,ガソリン,レギュラー,軽油,給油",
    ),
    (
        "parking_tolls",
        "*parking*,parkhaus*,*parkhaus*,parkplatz*,*parkgebuhr*,parkschein*,*parkticket*,tiefgarage*,garage parking,car park,carpark,parc auto,stationnement*,\
         parcheggio*,sosta,entry time,exit time,einfahrt,ausfahrt,parkdauer,parking ticket,length of stay,paid time,parking time,basement,parking fee,valet,toll,tolls,tollway*,turnpike*,maut*,vignette*,\
         peage*,pedaggio*,autostrada,autoroute*,plaza tol,tol,expressway,*parkraum*,*parkgarage*,*parking garage*,停车,停车费,车位,泊位,停车场,泊车,过路费,过桥费,通行费,高速公路,\
         收费站,入口,出口,入场,出场,駐車場,駐車料金,高速道路,通行料金",
    ),
    (
        "entertainment",
        "cinema*,kino,movie*,theatre*,theater*,museum*,concert*,konzert*,opera,zoo,theme park,amusement*,karaoke,ktv,bowling*,golf*,\
         casino*,nightclub*,club entry,admission,eintritt*,entry ticket,spa,massage,sauna,gift,gifts,geschenk*,souvenir*,present,*florist*,flower*,\
         blumen*,bouquet*,floral,handicraft*,*fleuriste*,cadeau*,regalo*,fiori,wine shop,liquor*,spirits,wine cellar,escape room,arcade,\
         hamper,gift card,stadttheater*,*museum,*weinhandlung*,*vinothek*,*geschenkeladen*,tierpark*,freizeitpark*,礼品,礼物,度假区门票,乐园,欢乐谷,剧院,演出,酒吧,养生,按摩,洗浴,温泉,ktv,鲜花,花店,茶叶,名酒,白酒,烟酒,娱乐,量贩,影城,影院,电影,门票,景区,博物馆,足浴,会所,高尔夫,\
         土特产,映画館,入場券,カラオケ,花屋",
    ),
    (
        "office",
        "canon,epson,brother,fuji xerox,xerox,lexmark,*gsm,70gsm,80gsm,ink,inks,black ink,photo paper,glossy paper,puncher*,punch,cd r,dvd r,dvd rw,thumb drive,flash drive,hard disk,power bank,charger,voucher book,cash book,receipt book,ledger,manila card*,rubber band*,double tape,cellophane,fotostat,lamination,name card*,business card*,banner*,bunting,toner cartridge,drum unit,ethernet,router,microsoft,windows,xbox,printer paper,whiteboard marker,crayon*,sketch book,colour pencil*,art paper,mounting board,geschenkpapier bogen,locher,heftklammern,klebeband,textmarker,collegeblock,briefumschlag*,versandtasche*,agrafes,classeur*,stylo*,cahier*,\
         stationer*,stationery,office suppl*,office depot*,*schreibwaren*,*burobedarf*,papeterie*,cartoleria*,alat tulis,copy paper,\
         kopierpapier*,paper a4,a4 paper,a4,printing,print shop,copyshop*,copy,photocop*,*printing*,print,prints,advertising,bookcentre*,bookcenter*,printer*,toner*,ink cartridge*,*druckerpatrone*,\
         tinte,cartridge*,pen,pens,ballpoint,pencil*,kugelschreiber*,bleistift*,marker,notebook,notizbuch*,*ordner,folder*,file,files,binder*,envelope*,\
         umschlag*,stapler*,staples,sticky notes,post it,glue stick,tape,scissors,eraser,ruler,label*,book,books,bookstore*,bookshop*,\
         book store,buchhandlung*,libreria*,librairie*,buku,pustaka,computer*,laptop*,usb,keyboard,mouse,monitor,cable,adapter,hdmi,\
         software,cloud,hosting,license,pensel,kertas,sticker,stickers,exercise book,binding,laminat*,stamp pad,highlighter*,correction tape,calculator*,whiteboard*,paper clip*,foolscap,test pad,clear holder,\
         *druckerei*,*elektronik*,*elektro markt*,buromarkt*,办公,文具,图文,文印,印刷,电子产品,数码,电器商城,纸张,打印,复印,硒鼓,墨盒,书店,图书,书城,签字笔,文件夹,电脑,键盘,鼠标,信息技术服务,\
         软件,耗材,文房具,書店,コピー",
    ),
    (
        "telecom",
        "telecom*,telekom*,telecommunication*,mobile phone,mobile plan,mobilfunk*,prepaid,top up,topup,reload,sim,sim card,esim,data plan,\
         datenvolumen,broadband,internet access,roaming,phone bill,airtime,handy*,*vodafone*,postpaid,wifi pass,recharge,\
         mobilcom*,telefon*,telephone,cellular,wireless,telefonica*,telefonie*,vodafone*,swisscom*,通讯,通信,网络通信,数字电视,电信,移动通信,联通,话费,流量,宽带,手机充值,充值,携帯,通信料",
    ),
    (
        "training",
        "training*,seminar*,conference*,konferenz*,congress*,kongress*,tagung*,workshop*,course fee,kursgebuhr*,kurs,course,courses,registration fee,\
         teilnahmegebuhr*,participant*,tuition*,academy,akademie*,institute,education*,school,schule,language school,sprachschule*,university*,college,\
         volkshochschule*,certification*,exam fee,exam,webinar*,summit,symposium,formation,colloque,corso,*akademie*,*sprachschule*,*tagungszentrum*,*kongresszentrum*,kongress*,培训,会议,会务,商学院,大学,研究院,会务费,学费,课程,教育,\
         学校,学院,讲座,报名费,考试费,会议费,研讨会,研修,セミナー,受講料",
    ),
    (
        "shipping",
        "tracking,usps tracking,usps,mail int,mailint*,first class mail,priority mail,flat rate,issue pvi,issuepvi,issue postage,issuepostage,customs form,customsform,expected delivery,certified mail,registered mail,express mail,money order,parcel select,recipient zip,retail ground,airmail,air mail,brief bis,paket bis,colissimo,einwurf,\
         courier*,parcel*,paket*,post office,postoffice*,general mail,mail facility,mpo,postage*,porto,briefmarke*,stamp,stamps,shipping*,shipment*,versand*,logistic*,express delivery,\
         freight*,fracht*,spedition*,tracking no,tracking number,waybill,air waybill,consignment,poslaju,priority mail,first class mail,\
         letter mail,einschreiben*,brief,pakchen,die post,la poste,*postamt*,colis,affranchissement,spedizione*,raccomandata,usps*,\
         *paketdienst*,*paketshop*,*kurier*,快递,速递,速运,快运,物流,邮政,邮寄,运费,包裹,寄件,快件,邮费,运单,宅配,郵便,郵便局,送料",
    ),
    (
        "medical",
        "tab,tabs,caps,syrup,lozenge*,antiseptic*,gauze,bandaid,band aid,eye drop*,eyedrop*,supplement*,ubat batuk,minyak angin,plaster*,surgical*,glucosamine,fish oil,multivitamin*,cough,fever,pain relief,antibiotic*,tropfen,hustensaft,nasenspray*,aspirin,pharmacist*,rx no,dispens*,kapsul,tablet,\
         pharmac*,*pharmacy*,*pharmacie*,*apotheke*,farmaci*,farmasi*,drugstore,drug store,clinic*,klinik*,hospital*,krankenhaus*,*medical*,\
         healthcare,doctor*,dr med,arzt*,*praxis*,dentist*,dental*,zahnarzt*,optic*,optik*,optiker*,brille*,prescription*,rezept*,\
         medicine*,medicare,health clinic,poliklinik,perubatan,ubat dan,medikament*,tablet*,tabletten*,capsule*,vaccin*,impfung*,consultation,laborator*,ubat,ibuprofen*,paracetamol*,aspirin*,\
         panadol*,cough syrup,bandage*,plaster,thermometer*,face mask,ointment*,salbe*,*klinikum*,*zahnarzt*,*sanitatshaus*,*arztpraxis*,*optiker*,vitamin*,copay,rx,otc,药房,药店,药业,医药,卫生服务,卫生院,齿科,牙科,眼科,大药房,医院,诊所,门诊,挂号,西药,中药,\
         药品,医疗,体检,口腔,眼镜,检查费,治疗费,薬局,病院,クリニック,処方",
    ),
    (
        "other",
        "papan,pasir,simen,paip,kayu,besi,wayar,kunci,perkakas,yarn,needle*,safety pin*,fabric,button*,zipper*,curtain*,cushion*,mop,broom,bucket,lighter,wd 40,sealant,silicone,putty,thinner,brush,roller,drill*,plumbing,switch socket,led bulb,light bulb,adhesive,super glue,nuts bolts,washer,spanner,hinge*,door knob,padlock*,hanger*,basin,tap,sink,ply,handbag*,wallet*,belt,perfume,lipstick,mascara,\
         supermarket*,supermarkt*,supermarche*,hypermarket*,minimarket*,mini market,minimart,mini mart,mart,*speedmart*,convenience,grocery*,groceries,\
         grocer*,pasar,pasaraya*,pasar raya,pasar mini,personal care,health beauty,runcit,kedai runcit,fresh market,cash carry,lebensmittel*,drogerie*,hardware*,timber,baumarkt*,diy,\
         d i y,paint*,tools,plywood,cement,screw*,electrical,*electrical*,furniture*,mobel*,furnishing*,home deco,clothing*,fashion*,apparel,\
         kleidung*,schuhe*,shoes,boutique*,*sporting*,*sports*,toys,spielwaren*,jewel*,jewellery,watch,watches,cosmetic*,parfum*,perfume*,\
         hair*,friseur*,coiffeur*,laundry,dry clean*,car wash*,*carwash*,auto repair,car repair,*werkstatt*,workshop motor,tyre*,reifen*,lube,\
         oil change,insurance*,versicherung*,bank,pet,*petshop*,petexpress,milch,bread loaf,per kg,kg,yogurt*,\
         joghurt*,tomaten kg,chicken breast,ground beef,cereal,detergent*,shampoo*,toilet paper,toilettenpapier,tissue*,\
         zahnpasta,toothpaste,diaper*,windeln,bleach,hammer,bolt,nail,pipe,bulb,battery,batteries,socket,shirt,jeans,dress,socks,trading,\
         packaging,gardening,bau,machinery,motor,key maker,locksmith,*friseur*,*textilreinigung*,*kfz*,*warenhaus*,*kaufhaus*,marken discount,markendiscount*,discounter*,neukauf,超市,便利店,购物中心,商贸,百货,商场,服装,鞋,家电,五金,建材,\
         日用品,水果,蔬菜,生鲜,洗衣,理发,美容,保险,汽车维修,洗车,家具,玩具,珠宝,スーパー,コンビニ,百貨店",
    ),
];

/// A word found, and the category it speaks for (an index into [`WORDS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Index into [`WORDS`].
    pub category: usize,
    /// The entry, without its wildcards.
    pub word: &'static str,
}

/// Every entry of one category, trimmed.
pub fn entries(category: usize) -> impl Iterator<Item = &'static str> {
    WORDS[category].1.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// Entries found in `text`, each once, in the order of [`WORDS`]. `loose` is for merchants' names.
pub fn find(text: &Folded, loose: bool) -> Vec<Hit> {
    let mut hits = Vec::new();
    for category in 0..WORDS.len() {
        for entry in entries(category) {
            if matches(text, entry, loose) {
                hits.push(Hit { category, word: entry.trim_matches('*') });
            }
        }
    }
    hits
}

fn matches(text: &Folded, entry: &str, loose: bool) -> bool {
    let word = entry.trim_matches('*');
    if !word.is_ascii() {
        return text.condensed().contains(word);
    }
    if entry.starts_with('*') || (loose && word.len() >= LOOSE_CHARS && !word.contains(' ')) {
        return text.condensed().contains(word) || text.spaced().contains(word);
    }
    if word.len() >= LOOSE_LINE_CHARS && !word.contains(' ') {
        return text.spaced().contains(word);
    }
    let open_end = entry.ends_with('*');
    text.spaced().match_indices(word).any(|(at, found)| {
        let before = text.spaced()[..at].ends_with(' ');
        let rest = &text.spaced()[at + found.len()..];
        // `Table51`, `Guests4`, `Pump02`: readers and tills glue numbers to words.
        let number = word.len() >= GLUED_NUMBER_CHARS && rest.starts_with(|c: char| c.is_ascii_digit());
        before && (open_end || number || rest.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::category::DEFAULTS;

    fn words(text: &str, loose: bool) -> Vec<&'static str> {
        find(&Folded::new(text), loose).into_iter().map(|hit| hit.word).collect()
    }

    #[test]
    fn the_lexicon_covers_the_default_categories_in_their_order_and_is_folded() {
        let codes: Vec<_> = WORDS.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, DEFAULTS.iter().map(|c| c.code).collect::<Vec<_>>());
        for entry in (0..WORDS.len()).flat_map(entries) {
            let word = entry.trim_matches('*');
            assert_eq!(Folded::new(word).spaced().trim(), word, "`{entry}` is not folded");
        }
    }

    #[test]
    fn whole_words_match_as_words_and_compounds_where_marked() {
        assert_eq!(words("Dieselkraftstoff 42 l", false), ["diesel", "kraftstoff"]);
        assert_eq!(words("INNSBRUCK", false), Vec::<&str>::new());
        assert!(words("Stadt-Parkhaus Mitte", false).contains(&"parkhaus"));
        assert!(words("上海某某酒店管理有限公司", false).contains(&"酒店"));
    }

    #[test]
    fn names_run_together_are_understood() {
        assert!(words("SEASIDERESTAURANTSDNBHD", true).contains(&"restaurant"));
    }
}
